"""Tests of the ablation, with one run from end to end on digits."""

import json
import sys
import types

import jax
import matplotlib.image
import numpy as np
import pytest

from configs import ablation as configs
from experiments import ablation
from experiments.report import tables
from mixup_jax import results
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
def test_launch_makes_a_table_and_a_figure_and_does_not_train_twice(
  tmp_path, monkeypatch, capsys
):
  rows = "inputs_sc_knn"
  result = launch(monkeypatch, tmp_path, rows)
  assert not result["failed"]
  run = result["rows"]
  assert [
    row["method"] for row in run if row["metric"] == in_memory.MEDIAN
  ] == [configs.ROWS[name].label for name in rows.split("+")]
  assert all(row["paper"] is None and row["n"] == 1 for row in run)
  assert len(result["not_run"]) == 44
  assert len(list((tmp_path / "neighbors").iterdir())) == 1
  name = "inputs_sc_knn/weight_decay_1e-4/seed_0/metrics.jsonl"
  before = (tmp_path / name).read_bytes()
  text = tables.table(result)
  assert "inputs only, SC + KNN" in text
  assert "mixup, AC + RP 4.24" in text  # Not run.
  assert matplotlib.image.imread(tmp_path / "result.png").std() > 0.01
  again = launch(monkeypatch, tmp_path, rows)
  assert again["rows"] == result["rows"]
  assert (tmp_path / name).read_bytes() == before
  assert (
    "inputs_sc_knn/weight_decay_1e-4/seed_0 (1 of 1)" in capsys.readouterr().out
  )


@pytest.fixture
def run(monkeypatch, tmp_path):
  """Returns the result of networks, with what training returns made up.

  Which were trained, and with which neighbours, are under "seen".
  """

  def run_networks(values, *networks, table=None):
    lines = [{"test/error": 5.0, "train/seconds": 2.0, "seconds": 1.0}]
    seen = []

    def train(values, program, data, *, seed, workdir, neighbors):
      seen.append((workdir.relative_to(tmp_path).as_posix(), neighbors))
      if "weight_decay_1e-4/seed_1" in str(workdir):
        raise FloatingPointError("the loss is nan at step 3")
      return lines

    monkeypatch.setattr(in_memory, "train", train)
    rows = {network.row: configs.ROWS[network.row] for network in networks}
    prepared = ablation.Prepared(
      None, rows, dict.fromkeys(networks), table or {}
    )
    recorder = types.SimpleNamespace(workdir=tmp_path)
    return {**ablation.run(values, prepared, recorder), "seen": seen}

  return run_networks


def test_run_names_a_failed_network_and_trains_the_others(run):
  """One weight decay of two."""
  table = {"all classes": np.zeros((3, 2), np.int32)}
  networks = [ablation.Network("mixup_ac_knn", decay) for decay in (1e-4, 5e-4)]
  result = run(config("dataset=cifar10,seeds=2"), *networks, table=table)
  assert result["failed"] == {
    "mixup_ac_knn/weight_decay_1e-4/seed_1": "the loss is nan at step 3"
  }
  seen = result["seen"]
  assert len(seen) == 4 and all(n is table["all classes"] for _, n in seen)
  assert seen[-1][0] == "mixup_ac_knn/weight_decay_5e-4/seed_1"
  rows = [r for r in result["rows"] if r["metric"] == in_memory.MEDIAN]
  assert [(r["setting"], r["n"], r["paper"]) for r in rows] == [
    ("weight decay 1e-4", 1, 4.98),
    ("weight decay 5e-4", 2, 5.26),
  ]
  assert {(r["method"], r["key"]) for r in rows} == {
    ("mixup, AC + KNN", "mixup_ac_knn")
  }
  assert result["wall_seconds"] == 9
  assert len(result["not_run"]) == 42


def test_run_gives_no_neighbors_to_rows_without_them(run):
  table = {"same class": np.zeros((3, 2), np.int32)}
  network = ablation.Network("mixup_ac_rp", 1e-4)
  result = run(config("dataset=cifar10"), network, table=table)
  assert [neighbors for _, neighbors in result["seen"]] == [None]


def test_method_of_the_row_mix_is_named_after_the_transform():
  values = config("dataset=cifar10", mix={"name": "cutmix", "alpha": 0.5})
  assert ablation.method(values, "mix") == results.Method(
    "cutmix", "cutmix, alpha 0.5", 0.5
  )
  assert ablation.method(values, "layer_2") == results.Method(
    "layer_2", "mixup of layer 2", 0.5
  )


def test_choose_returns_rows_by_name():
  chosen = ablation.choose(config("dataset=cifar10"))
  assert chosen == {name: configs.ROWS[name] for name in configs.ALL_ROWS}
  values = config("", rows=("layer_3", "erm", "erm"))
  values.model.blocks = (1, 1)
  assert list(ablation.choose(values)) == ["layer_3", "erm"]


@pytest.mark.parametrize(
  "names, stages, message",
  [
    (("mixup_ac_pr",), 4, "'mixup_ac_pr'. Did you mean 'mixup_ac_rp'.*erm, "),
    (("layer_5",), 3, "layer_5 mixes at depth 5, but a network of 3 stages"),
    (("all",), 3, "one number for each of 4 stages"),
    (("erm", "all"), 4, "unknown row 'all'"),
  ],
)
def test_choose_refuses_unknown_rows(names, stages, message):
  values = config("", rows=names)
  values.model.blocks = (1,) * stages
  with pytest.raises(ValueError, match=message):
    ablation.choose(values)


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
      {"k": 10, "mix": {"alpha": 0.4}},
      "weight decay 5e-4: cifar10, preact_resnet18 (k 10), alpha 0.4",
    ),
  ],
)
def test_setting_names_overrides(run, argument, changes, expected):
  values = config(argument, **changes)
  assert ablation.setting(values, 5e-4) == expected
  row, _ = run(values, ablation.Network("erm", 5e-4))["rows"]
  assert row["paper"] == (5.18 if expected == "weight decay 5e-4" else None)
  assert ablation.decay_name(1.5e-3) == "weight decay 1.5e-3"


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"rows": ("emr",)}, "unknown row 'emr'. Did you mean 'erm'"),
    ({"mix": {"alpha": -1.0}}, "alpha must be .* got -1"),
    ({"mixed_share": 0.0}, "mixed_share must be .* got 0.0"),
    ({"weight_decays": ()}, "nothing to run: .* name one of each"),
    ({"k": 1000}, "1000 neighbours cannot be found .* smallest class"),
  ],
)
def test_prepare_refuses_bad_configs(changes, message, tmp_path):
  values = config("smoke,rows=inputs_sc_knn", data_dir=str(tmp_path), **changes)
  with pytest.raises(ValueError, match=message):
    ablation.prepare(values)
