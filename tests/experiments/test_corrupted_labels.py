"""Tests of section 3.4, with runs from end to end on digits."""

import json
import sys
import types

import jax
import numpy as np
import pytest

from configs import corrupted_labels as configs
from experiments import corrupted_labels
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import summary
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


def config(argument="smoke", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


def launch(monkeypatch, workdir, *argv):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "corrupted_labels",
      f"--config={corrupted_labels.CONFIG}:smoke",
      f"--workdir={workdir}",
      "--config.epochs=2",
      "--config.model.width=4",
      "--config.num_train=200",
      *argv,
    ],
  )
  cli.launch(
    "corrupted_labels",
    prepare=corrupted_labels.prepare,
    run=corrupted_labels.run,
    config_file=corrupted_labels.CONFIG,
  )
  return json.loads((workdir / "result.json").read_text())


def test_launch_has_four_errors_a_network_and_does_not_train_twice(
  tmp_path, monkeypatch
):
  result = launch(monkeypatch, tmp_path)
  metrics = [*corrupted_labels.METRICS, summary.SECONDS]
  assert [row["metric"] for row in result["rows"]] == metrics * 2
  assert all(row["n"] == 1 and row["paper"] is None for row in result["rows"])
  errors = [x for x in result["rows"] if x["metric"] != summary.SECONDS]
  assert all(0 <= row["value"] <= 100 for row in errors)
  assert len(result["not_run"]) == 12 * 4
  assert len(result["curves"]) == 2 * 3 and not result["failed"]
  assert (tmp_path / "result.png").exists()
  again = launch(monkeypatch, tmp_path)
  assert again["rows"] == result["rows"]
  assert again["wall_seconds"] == result["wall_seconds"]


def test_launch_names_failed_networks_and_leaves_out_their_rows(
  tmp_path, monkeypatch, capsys
):
  with pytest.raises(SystemExit) as status:
    launch(monkeypatch, tmp_path, "--config.learning_rate=1e30")
  assert status.value.code == 1
  result = json.loads((tmp_path / "result.json").read_text())
  assert len(result["failed"]) == 2
  assert not result["rows"] and len(result["not_run"]) == 12 * 4
  assert "failed: replaced_50/alpha_0_dropout_0: the loss is" in (
    capsys.readouterr().err
  )


def test_replace_labels_draws_the_same_noise_for_all_methods():
  values = config()
  prepared = corrupted_labels.prepare(values)
  first, second = (
    corrupted_labels.replace_labels(values, prepared.data, 0.5, 0)
    for _ in range(2)
  )
  np.testing.assert_array_equal(first[1], second[1])
  labels, replaced = first[0].train_labels, first[1]
  np.testing.assert_array_equal(
    labels[~replaced], prepared.data.train_labels[~replaced]
  )
  changed = (labels != prepared.data.train_labels)[replaced].mean()
  assert 0.85 < changed < 0.95  # One in ten is drawn as it was.


@pytest.mark.parametrize(
  "noise_seed, same", ((-1, False), (0, True), (7, True))
)
def test_replace_labels_follows_the_seed_unless_it_is_fixed(noise_seed, same):
  values = config(noise_seed=noise_seed)
  data = in_memory.load(values)
  first, second = (
    corrupted_labels.replace_labels(values, data, 0.5, seed) for seed in (0, 1)
  )
  assert (first[1] == second[1]).all() == same
  assert first[1].sum() == second[1].sum() == round(0.5 * len(first[1]))


def test_setting_names_noise_of_one_draw_and_epochs_that_are_not_measured():
  values = config("dataset=cifar10", noise_seed=0)
  assert corrupted_labels.setting(values, 0.2).endswith("(noise seed 0)")
  values = config("dataset=cifar10", eval_every=5)
  name = corrupted_labels.setting(values, 0.2)
  assert name == "20 % replaced, measured every 5 epochs"


def test_train_measures_the_labels_that_it_trains_on(monkeypatch, tmp_path):
  values = config()
  network = corrupted_labels.Network(0.5, 0.0, 0.0)
  truth = in_memory.load(values)
  values.seeds = 2
  seen = []

  def train(config, program, data, *, seed, measured, **_):
    given, replaced = corrupted_labels.replace_labels(values, truth, 0.5, seed)
    np.testing.assert_array_equal(data.train_labels, given.train_labels)
    seen.append((given, replaced, measured))

  monkeypatch.setattr(in_memory, "train", train)
  prepared = corrupted_labels.Prepared(truth, {network: "program"})
  corrupted_labels.train(values, prepared, network, tmp_path)
  for given, replaced, parts in seen:
    assert set(parts) == {"kept", "replaced"}
    for name, rows in (("kept", ~replaced), ("replaced", replaced)):
      images, labels = parts[name]
      np.testing.assert_array_equal(images, truth.train_images[rows])
      np.testing.assert_array_equal(labels, given.train_labels[rows])
  assert len(seen) == values.seeds


def test_prepare_passes_dropout_and_alpha_to_each_program(monkeypatch):
  made = []
  monkeypatch.setattr(
    in_memory,
    "make_program",
    lambda config, data, method, *, mix, model: made.append(
      (method, mix, model)
    ),
  )
  values = config("noise=20")
  values.mix.per_example = True
  corrupted_labels.prepare(values)
  assert [model["dropout"] for *_, model in made] == [0, 0.7, 0, 0.1]
  assert [mix.alpha for _, mix, _ in made] == [0, 0, 8, 4]
  assert all(mix.per_example for _, mix, _ in made)
  # Dropout alone mixes nothing.
  assert [method.alpha for method, *_ in made] == [0, 0, 8, 4]
  assert [method == results.ERM for method, *_ in made] == [
    True,
    True,
    False,
    False,
  ]


def lines(*errors):
  return [
    {
      "epoch": epoch,
      "test/error": e,
      "kept/error": e / 2,
      "replaced/error": 2 * e,
      "train/seconds": 2.0,
      "seconds": 1.0,
    }
    for epoch, e in enumerate(errors, start=1)
  ]


@pytest.fixture
def run(monkeypatch, tmp_path):
  """Returns the result of a network, with what training returns made up."""

  def run_network(values, network, *trained):
    monkeypatch.setattr(
      corrupted_labels, "train", lambda *_: [lines(*each) for each in trained]
    )
    recorder = types.SimpleNamespace(workdir=tmp_path)
    prepared = corrupted_labels.Prepared(None, {network: None})
    return corrupted_labels.run(values, prepared, recorder)

  return run_network


def test_run_rows_are_of_the_best_and_the_last_epoch(run):
  network = corrupted_labels.Network(0.8, 0.0, 0.0)
  errors = (30, 10, 20), (40, 20, 40)
  result = run(config("dataset=cifar10"), network, *errors)
  *rows, seconds = result["rows"]
  assert [row["value"] for row in rows] == [15, 30, 15, 60]
  assert [row["paper"] for row in rows] == [36.5, 73.9, 0.62, 0.83]
  assert seconds["value"] == 9 and result["wall_seconds"] == 18
  assert len(result["not_run"]) == 11 * 4
  curves = {curve["metric"]: curve["values"] for curve in result["curves"]}
  assert curves == {
    "test": [[30, 10, 20], [40, 20, 40]],
    "replaced labels": [[60, 20, 40], [80, 40, 80]],
    "kept labels": [[15, 5, 10], [20, 10, 20]],
  }


@pytest.mark.parametrize(
  "changes",
  (
    {"keep_true": False},
    {"epochs": 20},
    {"mix": {"fold": True}},
    {"mix": {"name": "cutmix"}},
  ),
)
def test_run_gives_papers_numbers_to_the_papers_setting_alone(run, changes):
  network = corrupted_labels.Network(0.8, 32.0, 0.0)
  result = run(config("dataset=cifar10", **changes), network, (30, 10))
  assert [row["paper"] for row in result["rows"]] == [None] * 5
  assert len(result["not_run"]) == 12 * 4


@pytest.mark.parametrize(
  "alpha, rate, key, label",
  [
    (0.0, 0.0, "erm", "ERM"),
    (0.0, 0.7, "dropout", "dropout, rate 0.7"),
    (8.0, 0.0, "mixup", "mixup, alpha 8"),
    (4.0, 0.1, "mixup_dropout", "mixup + dropout, alpha 4, rate 0.1"),
  ],
)
def test_method_is_named_after_mixing_and_dropout(alpha, rate, key, label):
  network = corrupted_labels.Network(0.2, alpha, rate)
  method = corrupted_labels.method(config(), network)
  assert method == results.Method(key, label, alpha)
  values = config(mix={"name": "cutmix"})
  method = corrupted_labels.method(values, network)
  assert method.label == label.replace("mixup", "cutmix")
  assert method.key == key.replace("mixup", "cutmix")


@pytest.mark.parametrize(
  "cells, message",
  [
    (((20.0, 0.0, 0.0),), "share of replaced labels must be .* got 20"),
    (((0.2, -1.0, 0.0),), "config.cells must be .* got -1"),
    (((0.2, 0.0, 1.5),), "dropout must be .* 1.5"),
    (((0.2, 0.0),), r"config.cells: \(0.2, 0.0\) is not \(share of"),
  ],
)
def test_prepare_refuses_bad_networks(cells, message):
  with pytest.raises(ValueError, match=message):
    corrupted_labels.prepare(config(cells=cells))


def test_prepare_refuses_an_unknown_transform():
  with pytest.raises(ValueError, match="mix.name='mixpu'. Did you mean"):
    corrupted_labels.prepare(config(mix={"name": "mixpu"}))
