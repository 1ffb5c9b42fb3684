"""Runs section 3.2 from end to end on digits, and proves what it refuses."""

import json
import sys

import jax
import pytest

from configs import cifar as configs
from experiments import cifar
from mixup_jax import sharding
from mixup_jax.recipes import in_memory
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
    "cifar", prepare=cifar.prepare, run=cifar.run, config_file=cifar.CONFIG
  )
  return json.loads((workdir / "result.json").read_text())


def test_the_smoke_run_learns_and_is_not_done_twice(
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
  paper = rows["cifar10, preact_resnet18", "mixup, alpha 1", in_memory.MEDIAN]
  assert paper["paper"] == 4.2 and paper["value"] is None
  assert len([row for row in result["rows"] if row["paper"]]) == 12
  assert [len(curve["values"][0]) for curve in result["curves"]] == [10] * 4
  out = capsys.readouterr().out
  assert "not run" in out and "result.json" in out
  again = launch(monkeypatch, tmp_path)
  assert again["rows"] == result["rows"] and again["curves"] == result["curves"]
  assert again["wall_seconds"] == result["wall_seconds"] > 0


def test_settings_name_what_is_not_the_papers():
  values = config("dataset=cifar10")
  assert cifar.setting(values) == "cifar10, preact_resnet18"
  values.model.width = 8
  values.epochs = 12
  assert (
    cifar.setting(values) == "cifar10, preact_resnet18 (width 8, epochs 12)"
  )


def lines(*errors):
  return [
    {
      "test/error": e,
      "test/nll": e / 10,
      "test/ece": e / 5,
      "train/error": 2 * e,
      "clean/error": e / 2,
      "train/seconds": 2.0,
      "seconds": 1.0,
    }
    for e in errors
  ]


def test_rows_sum_up_the_epochs_of_every_seed():
  runs = [lines(90, *range(20, 10, -1)), lines(90, *range(30, 20, -1))]
  values = config("dataset=cifar10,seeds=2")
  rows = {row["metric"]: row for row in cifar.result_rows(values, "ERM", runs)}
  assert rows[in_memory.MEDIAN]["value"] == 20.5  # Of 15.5 and 25.5.
  assert (
    rows[in_memory.MEDIAN]["paper"] == 5.6 and rows[in_memory.MEDIAN]["n"] == 2
  )
  assert rows["test error (%), best epoch"]["value"] == 16
  assert rows["test error (%), last epoch"]["value"] == 16
  assert rows["test NLL (nats), last epoch"]["value"] == 1.6
  assert rows["test ECE (%), last epoch"]["value"] == 3.2
  assert rows["training error (%), weighted by lam"]["value"] == 32
  assert rows["training error (%), clean"]["value"] == 8
  assert rows["seconds a network"]["value"] == 33
  assert rows["training error (%), clean"]["paper"] is None


def test_a_changed_network_is_not_put_beside_the_papers():
  values = config("dataset=cifar10", epochs=12)
  rows = cifar.result_rows(values, "ERM", [lines(20, 10)])
  assert all(row["paper"] is None for row in rows)
  assert len(cifar.rows_not_run(rows)) == 12
  values = config("dataset=cifar10", epochs=200)
  other = cifar.result_rows(values, "mixup, alpha 0.2", [lines(20, 10)])
  assert all(row["paper"] is None for row in other)
  paper = cifar.result_rows(values, "ERM", [lines(20, 10)])
  assert len(cifar.rows_not_run(paper)) == 11


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"method": "mixpu"}, "unknown method 'mixpu': choose one of erm"),
    ({"alpha": -1.0}, "alpha must be .* got -1"),
    ({"dataset": "cifar11"}, "Did you mean 'cifar10'"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, message):
  with pytest.raises(ValueError, match=message):
    cifar.prepare(config(**changes))


def test_missing_data_names_its_command(tmp_path):
  with pytest.raises(FileNotFoundError, match="mixup_jax.data.prepare cifar10"):
    cifar.prepare(config(dataset="cifar10", data_dir=str(tmp_path)))


def test_a_step_is_lowered_without_the_data():
  values = config("dataset=cifar10")
  values.model.update(width=4, blocks=(1,))
  lowered = cifar.lower(values, 1.0, sharding.make_mesh())
  _, state, batch = lowered.in_avals[0]
  assert batch["rows"].shape == (128,)
  assert batch["images"].shape == (50_000, 32, 32, 3)
  assert (10,) in [x.shape for x in jax.tree.leaves(state.params)]
