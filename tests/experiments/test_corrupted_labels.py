"""Runs section 3.4 on digits: noise is learnt by heart, or it is not."""

import json
import sys

import jax
import numpy as np
import pytest

from configs import corrupted_labels as configs
from experiments import corrupted_labels
from mixup_jax import sharding
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


def test_every_cell_has_four_errors_and_the_paper_has_twelve(
  tmp_path, monkeypatch
):
  result = launch(monkeypatch, tmp_path)
  ours = [row for row in result["rows"] if row["n"]]
  assert [row["metric"] for row in ours] == [*corrupted_labels.METRICS] * 2
  assert all(0 <= row["value"] <= 100 for row in ours)
  assert len([row for row in result["rows"] if row["paper"]]) == 12 * 4
  assert len(result["curves"]) == 2 * 3 and not result["failed"]
  assert (tmp_path / "result.png").exists()
  again = launch(monkeypatch, tmp_path)
  assert again["rows"] == result["rows"]
  assert again["wall_seconds"] == result["wall_seconds"]


def test_a_cell_that_fails_is_named_and_its_rows_are_missing(
  tmp_path, monkeypatch, capsys
):
  with pytest.raises(SystemExit) as status:
    launch(monkeypatch, tmp_path, "--config.learning_rate=1e30")
  assert status.value.code == 1
  result = json.loads((tmp_path / "result.json").read_text())
  assert len(result["failed"]) == 2
  assert not [row for row in result["rows"] if row["n"]]
  assert "failed: replaced_50/alpha_0_dropout_0: the loss is" in (
    capsys.readouterr().err
  )


def test_all_methods_train_on_the_same_noise():
  values = config()
  prepared = corrupted_labels.prepare(values)
  first, second = (
    corrupted_labels._replace_labels(values, prepared.data, 0.5)
    for _ in range(2)
  )
  np.testing.assert_array_equal(first[1], second[1])
  labels, replaced = first[0].train_labels, first[1]
  np.testing.assert_array_equal(
    labels[~replaced], prepared.data.train_labels[~replaced]
  )
  changed = (labels != prepared.data.train_labels)[replaced].mean()
  assert 0.85 < changed < 0.95  # One in ten is drawn as it was.


def test_dropout_of_a_cell_reaches_its_model(monkeypatch):
  made = []
  monkeypatch.setattr(
    corrupted_labels.recipe,
    "make_program",
    lambda config, data, *, transform, model: made.append((transform, model)),
  )
  corrupted_labels.prepare(config("noise=20"))
  assert [model["dropout"] for _, model in made] == [0, 0.7, 0, 0.1]
  alphas = [t and t.keywords["alpha"] for t, _ in made]
  assert alphas == [None, None, 8, 4]


def lines(*errors):
  return [
    {"test/error": e, "kept/error": e / 2, "replaced/error": 2 * e}
    for e in errors
  ]


def test_rows_are_best_and_last():
  cell = corrupted_labels.Cell(0.8, 0.0, 0.0)
  runs = [lines(30, 10, 20), lines(40, 20, 40)]
  rows = corrupted_labels.result_rows(config("dataset=cifar10"), cell, runs)
  assert [row["value"] for row in rows] == [15, 30, 15, 60]
  assert [row["paper"] for row in rows] == [36.5, 73.9, 0.62, 0.83]
  rows = corrupted_labels.result_rows(
    config("dataset=cifar10", keep_true=False), cell, runs
  )
  assert [row["paper"] for row in rows] == [None] * 4
  assert len(corrupted_labels.rows_not_run(rows)) == 11 * 4


def test_names_of_methods():
  def name(alpha, rate):
    return corrupted_labels.Cell(0.2, alpha, rate).method()

  assert name(0.0, 0.0) == "ERM"
  assert name(0.0, 0.7) == "dropout, rate 0.7"
  assert name(8.0, 0.0) == "mixup, alpha 8"
  assert name(4.0, 0.1) == "mixup + dropout, alpha 4, rate 0.1"


@pytest.mark.parametrize(
  "cells, message",
  [
    (((20.0, 0.0, 0.0),), "share of replaced labels must be .* got 20"),
    (((0.2, -1.0, 0.0),), "alpha must be .* got -1"),
    (((0.2, 0.0, 1.5),), "dropout must be .* 1.5"),
    (((0.2, 0.0),), r"config.cells: \(0.2, 0.0\) is not \(share of"),
  ],
)
def test_bad_cells_are_refused_before_any_work(cells, message):
  with pytest.raises(ValueError, match=message):
    corrupted_labels.prepare(config(cells=cells))
