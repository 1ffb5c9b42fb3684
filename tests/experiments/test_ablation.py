"""Runs the ablation from end to end on digits, and proves what it refuses."""

import json
import sys

import jax
import matplotlib.image
import numpy as np
import pytest

from configs import ablation as configs
from experiments.ablation import __main__ as ablation
from experiments.ablation import methods
from experiments.report import tables
from mixup_jax import sharding
from mixup_jax.recipes import in_memory
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


def config(argument="smoke", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


def launch(monkeypatch, workdir, rows, *argv):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "ablation",
      f"--config={ablation.CONFIG}:smoke,rows={rows}",
      f"--workdir={workdir}",
      f"--config.data_dir={workdir}",
      "--config.epochs=2",
      "--config.num_train=200",
      "--config.k=5",
      "--config.model.width=2",
      "--config.model.blocks=(1,)",
      *argv,
    ],
  )
  cli.launch(
    "ablation",
    prepare=ablation.prepare,
    run=ablation.run,
    config_file=ablation.CONFIG,
  )
  return json.loads((workdir / "result.json").read_text())


@pytest.mark.slow
def test_rows_become_a_table_and_a_figure_and_are_not_run_twice(
  tmp_path, monkeypatch, capsys
):
  rows = "inputs_sc_knn"
  result = launch(monkeypatch, tmp_path, rows)
  assert not result["failed"]
  run = [row for row in result["rows"] if row["n"]]
  assert [
    row["method"] for row in run if row["metric"] == in_memory.MEDIAN
  ] == [methods.METHODS[name].name for name in rows.split("+")]
  assert all(row["paper"] is None for row in run)
  paper = [row for row in result["rows"] if row["paper"] is not None]
  assert len(paper) == 44 and all(row["value"] is None for row in paper)
  assert len(list((tmp_path / "neighbors").iterdir())) == 1
  name = "inputs_sc_knn/weight_decay_1e-4/seed_0/metrics.jsonl"
  before = (tmp_path / name).read_bytes()
  text = tables.table(result)
  assert "| mixup, AC + RP | - | 4.24 | not run | 4.68 | not run |" in text
  assert matplotlib.image.imread(tmp_path / "result.png").std() > 0.01
  again = launch(monkeypatch, tmp_path, rows)
  assert again["rows"] == result["rows"]
  assert (tmp_path / name).read_bytes() == before
  assert (
    "inputs_sc_knn/weight_decay_1e-4/seed_0 (1 of 1)" in capsys.readouterr().out
  )


def test_a_network_that_fails_is_named_and_stops_no_other(
  tmp_path, monkeypatch
):
  """One weight decay of two, with what training returns made up."""
  lines = [{"test/error": 5.0, "train/seconds": 2.0, "seconds": 1.0}]
  seen = []

  def train(values, program, data, *, seed, workdir, neighbors):
    seen.append((workdir.relative_to(tmp_path).as_posix(), neighbors))
    if "weight_decay_1e-4/seed_1" in str(workdir):
      raise FloatingPointError("the loss is nan at step 3")
    return lines

  monkeypatch.setattr(in_memory, "train", train)
  values = config("dataset=cifar10,seeds=2")
  method = methods.METHODS["mixup_ac_knn"]
  table = {"all classes": np.zeros((3, 2), np.int32)}
  decays = dict.fromkeys([("mixup_ac_knn", 1e-4), ("mixup_ac_knn", 5e-4)])
  recorder = type("Recorder", (), {"workdir": tmp_path})
  result = ablation.run(
    values,
    ablation.Prepared(None, {"mixup_ac_knn": method}, decays, table),
    recorder,
  )
  assert result["failed"] == {
    "mixup_ac_knn/weight_decay_1e-4/seed_1": "the loss is nan at step 3"
  }
  assert len(seen) == 4 and all(n is table["all classes"] for _, n in seen)
  rows = [
    row
    for row in result["rows"]
    if row["n"] and row["metric"] == in_memory.MEDIAN
  ]
  assert [(r["setting"], r["n"], r["paper"]) for r in rows] == [
    ("weight decay 1e-4", 1, 4.98),
    ("weight decay 5e-4", 2, 5.26),
  ]
  assert result["wall_seconds"] == 9
  assert len([r for r in result["rows"] if r["paper"] is not None]) == 44


def test_the_last_epochs_are_not_mixed(monkeypatch):
  made = []
  monkeypatch.setattr(
    in_memory, "make_program", lambda *_, **options: made.append(options)
  )
  values = config("dataset=cifar10")
  data = in_memory.load(config())  # 1,437 images: 12 batches of 128.
  for name in ("erm", "mixup_ac_rp", "layer_2", "ends_early"):
    ablation.make_program(values, data, methods.METHODS[name], 5e-4)
  assert made[0] == {"optimizer": {"weight_decay": 5e-4}}
  assert made[1]["transform"].keywords == {"alpha": 1.0}
  assert made[2]["mix_hidden"].keywords == {"alpha": 1.0, "layers": (2,)}
  assert made[3]["num_mixed_steps"] == 180 * 12


@pytest.mark.parametrize(
  "argument, changes, expected",
  [
    ("dataset=cifar10", {}, "weight decay 5e-4"),
    (
      "dataset=cifar10,schedule=short",
      {},
      "weight decay 5e-4: cifar10, preact_resnet18 (epochs 20)",
    ),
    (
      "dataset=cifar10",
      {"k": 10, "alpha": 0.4},
      "weight decay 5e-4: cifar10, preact_resnet18, alpha 0.4, k 10",
    ),
  ],
)
def test_settings_name_what_is_not_the_papers(argument, changes, expected):
  values = config(argument, **changes)
  assert ablation.setting(values, 5e-4) == expected
  runs = [[{"test/error": 5.0, "train/seconds": 2.0, "seconds": 1.0}]]
  row, _ = ablation.result_rows(values, methods.METHODS["erm"], 5e-4, runs)
  assert row["paper"] == (5.18 if expected == "weight decay 5e-4" else None)
  assert ablation.decay_name(1.5e-3) == "weight decay 1.5e-3"


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"rows": ("emr",)}, "unknown row 'emr'. Did you mean 'erm'"),
    ({"alpha": -1.0}, "alpha must be .* got -1"),
    ({"mixed_share": 0.0}, "mixed_share must be .* got 0.0"),
    ({"weight_decays": ()}, "nothing to run: .* name one of each"),
    ({"k": 1000}, "1000 neighbours cannot be found .* smallest class"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, message, tmp_path):
  values = config("smoke,rows=inputs_sc_knn", data_dir=str(tmp_path), **changes)
  with pytest.raises(ValueError, match=message):
    ablation.prepare(values)
