"""Tests of section 3.2, with runs from end to end on digits."""

import json
import sys
import types

import jax
import pytest

from configs import cifar as configs
from experiments import cifar
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import mixing
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
    ["cifar", f"--config={cifar.CONFIG}:smoke", f"--workdir={workdir}", *argv],
  )
  cli.launch(
    "cifar",
    prepare=cifar.prepare,
    run=cifar.run,
    config_file=cifar.CONFIG,
    of_networks=True,
  )
  return json.loads((workdir / "result.json").read_text())


@pytest.mark.usefixtures("fast_steps")
def test_launch_of_the_smoke_test_learns_and_does_not_train_twice(
  tmp_path, capsys, monkeypatch
):
  result = launch(monkeypatch, tmp_path)
  rows = {
    (row["setting"], row["method"], row["metric"]): row
    for row in result["rows"]
  }
  ours = "digits, preact_resnet18 (blocks (1, 1, 1), width 8)"
  for method in ("ERM", "mixup, alpha 1"):
    assert rows[ours, method, "test error (%), last epoch"]["value"] < 10
    clean = rows[ours, method, "training error (%), clean"]["value"]
    weighted = rows[ours, method, "training error (%), weighted by lam"]
    assert clean < 10
    # Half of the weight of a mixed pair is on a label that cannot be guessed.
    assert (weighted["value"] > 20) == (method != "ERM")
  assert {row["key"] for row in result["rows"]} == {"erm", "mixup"}
  assert all(row["n"] and row["paper"] is None for row in result["rows"])
  assert len(result["not_run"]) == 12
  assert {
    "setting": "cifar10, preact_resnet18",
    "method": "mixup, alpha 1",
    "metric": in_memory.MEDIAN,
    "paper": 4.2,
  } in result["not_run"]
  assert [len(curve["values"][0]) for curve in result["curves"]] == [10] * 4
  out = capsys.readouterr().out
  assert "Not run: 12 of the paper's 12" in out and "result.json" in out
  again = launch(monkeypatch, tmp_path)
  assert again["rows"] == result["rows"] and again["curves"] == result["curves"]
  assert again["wall_seconds"] == result["wall_seconds"] > 0
  fewer = launch(monkeypatch, tmp_path, "--config.method=erm")
  assert fewer["rows"] == [x for x in result["rows"] if x["key"] == "erm"]


def test_launch_trains_the_transform_of_the_flags(tmp_path, monkeypatch):
  result = launch(
    monkeypatch,
    tmp_path,
    "--config.method=mix",
    "--config.mix.name=cutmix",
    "--config.mix.plain_first_epochs=1",
    "--config.mix.plain_last_epochs=1",
    "--config.model.width=2",
    "--config.model.blocks=(1,)",
    "--config.num_train=72",  # The last batch of 32 has 8.
    "--config.epochs=4",
  )
  setting = (
    "digits, preact_resnet18 (blocks (1,), width 2, plain first epochs 1, "
    "plain last epochs 1, 72 training images)"
  )
  assert {(row["setting"], row["method"]) for row in result["rows"]} == {
    (setting, "cutmix, alpha 1")
  }
  assert (tmp_path / "cutmix" / "seed_0" / "metrics.jsonl").exists()
  assert {curve["key"] for curve in result["curves"]} == {"cutmix"}


def lines(*errors):
  return [
    {
      "epoch": epoch,
      "test/error": e,
      "test/nll": e / 10,
      "test/ece": e / 5,
      "train/error": 2 * e,
      "clean/error": e / 2,
      "train/seconds": 2.0,
      "seconds": 1.0,
    }
    for epoch, e in enumerate(errors, start=1)
  ]


@pytest.fixture
def run(monkeypatch, tmp_path):
  """Returns the result of a config, with what training returns made up."""

  def run_config(values, method, *trained):
    seeds = dict(zip(in_memory.seeds(values), trained, strict=True))

    def train(config, program, data, *, seed, workdir):
      assert workdir == tmp_path / method.key / f"seed_{seed}"
      return seeds[seed]

    monkeypatch.setattr(in_memory, "train", train)
    recorder = types.SimpleNamespace(workdir=tmp_path)
    prepared = cifar.Prepared(None, {method: None})
    return cifar.run(values, prepared, recorder)

  return run_config


def test_run_rows_summarize_the_epochs_of_every_seed(run):
  result = run(
    config("dataset=cifar10,seeds=2"),
    results.ERM,
    lines(90, *range(20, 10, -1)),
    lines(90, *range(30, 20, -1)),
  )
  rows = {row["metric"]: row for row in result["rows"]}
  assert rows[in_memory.MEDIAN]["value"] == 20.5  # Of 15.5 and 25.5.
  assert (
    rows[in_memory.MEDIAN]["paper"] == 5.6 and rows[in_memory.MEDIAN]["n"] == 2
  )
  assert rows[in_memory.MEDIAN]["setting"] == "cifar10, preact_resnet18"
  assert rows["test error (%), best epoch"]["value"] == 16
  assert rows["test error (%), last epoch"]["value"] == 16
  assert rows["test NLL (nats), last epoch"]["value"] == 1.6
  assert rows["test ECE (%), last epoch"]["value"] == 3.2
  assert rows["training error (%), weighted by lam"]["value"] == 32
  assert rows["training error (%), clean"]["value"] == 8
  assert rows["seconds a network"]["value"] == 33
  assert rows["training error (%), clean"]["paper"] is None
  assert result["wall_seconds"] == 66 and len(result["not_run"]) == 11
  test, training = result["curves"]
  assert (
    test["values"][0][:2]
    == [90, 20]
    == [x / 2 for x in training["values"][0][:2]]
  )
  assert test["epochs"] == list(range(1, 12))


@pytest.mark.parametrize(
  "changes, method, count",
  [
    ({"epochs": 12}, results.ERM, 12),
    ({"model": {"width": 8}}, results.ERM, 12),
    ({"mix": {"per_example": True}}, results.ERM, 12),
    ({"optimizer": {"weight_decay": 5e-4}}, results.ERM, 12),
    ({"optimizer": {"momentum": 0.0}}, results.ERM, 12),
    ({"decay_at": (0.1,)}, results.ERM, 12),
    ({}, results.Method("mixup", "mixup, alpha 0.2", 0.2), 12),
    ({}, results.Method("cutmix", "cutmix, alpha 1", 1.0), 12),
    ({}, results.Method("mixup", "mixup, alpha 1", 1.0), 11),
    ({}, results.ERM, 11),
  ],
)
def test_run_gives_papers_numbers_to_the_papers_setting_alone(
  run, changes, method, count
):
  values = config("dataset=cifar10", **changes)
  result = run(values, method, lines(20, 10))
  beside = [row for row in result["rows"] if row["paper"] is not None]
  assert len(beside) == 12 - count == 12 - len(result["not_run"])


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"method": "mixpu"}, "unknown method 'mixpu': choose one of erm"),
    ({"mix": {"name": "mixpu"}}, "mix.name='mixpu'. Did you mean 'mixup'"),
    ({"mix": {"alpha": -1.0}}, "alpha must be .* got -1"),
    ({"mix": {"plain_last_epochs": 11}}, "at most the 10 epochs of a run"),
    ({"dataset": "cifar11"}, "Did you mean 'cifar10'"),
    ({"partners": "local", "batch_size": 8}, "8 examples on 8 devices"),
  ],
)
def test_prepare_refuses_bad_configs(changes, message):
  with pytest.raises(ValueError, match=message):
    cifar.prepare(config(**changes))


def test_prepare_refuses_a_typo_in_the_argument():
  with pytest.raises(ValueError, match="'mixpu'. Did you mean 'mixup'"):
    cifar.prepare(config("smoke,method=mixpu"))


def test_prepare_without_data_names_the_command(tmp_path):
  with pytest.raises(FileNotFoundError, match="mixup_jax.data.prepare cifar10"):
    cifar.prepare(config(dataset="cifar10", data_dir=str(tmp_path)))


def test_lower_needs_no_data():
  values = config("dataset=cifar10")
  values.model.update(width=4, blocks=(1,))
  lowered = cifar.lower(values, mixing.method(values.mix), sharding.make_mesh())
  _, state, batch = lowered.in_avals[0]
  assert batch["rows"].shape == (128,)
  assert batch["images"].shape == (50_000, 32 * 32 * 3)  # See `flat`.
  assert (10,) in [x.shape for x in jax.tree.leaves(state.params)]
