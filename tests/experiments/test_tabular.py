"""Runs section 3.6 from end to end, and proves what it refuses."""

import json
import sys

import numpy as np
import pytest

from configs import tabular as configs
from experiments import tabular
from mixup_jax.runtime import cli
from mixup_jax.train import sweep


def config(**changes):
  values = configs.get_config("smoke")
  values.update(changes)
  return values


def test_the_smoke_run(tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(
    sys,
    "argv",
    ["tabular", f"--config={tabular.CONFIG}:smoke", f"--workdir={tmp_path}"],
  )
  cli.launch(
    "tabular",
    prepare=tabular.prepare,
    run=tabular.run,
    config_file=tabular.CONFIG,
  )
  result = json.loads((tmp_path / "result.json").read_text())
  rows = {(row["method"], row["metric"]): row for row in result["rows"]}
  assert len(rows) == len(result["rows"]) == 1 + 5 + 4
  erm = rows["ERM", "test error (%)"]
  assert erm["paper"] == 21.3 and erm["n"] == 4 and erm["epochs"] == 10
  assert erm["value"] < rows["majority class", "test error (%)"]["value"] - 20
  difference = rows["mixup, alpha 1", "minus ERM, paired (%)"]["value"]
  mixup = rows["mixup, alpha 1", "test error (%)"]["value"]
  assert abs(difference - (mixup - erm["value"])) < 1e-3
  assert "mixup, alpha 0.4" in capsys.readouterr().out
  lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
  assert len(lines) == 11 and "iris/ERM/loss" in json.loads(lines[0])
  assert abs(json.loads(lines[-1])["iris/ERM/error"] - erm["value"]) < 1e-3


def test_rows_hold_means_spreads_and_paired_differences():
  values = config(alphas=(1.0,), seeds=3)
  problem = tabular.prepare(values)["iris"]
  error = np.array([[10.0, 12.0], [20.0, 23.0], [30.0, 31.0]])
  rows = {
    (row["method"], row["metric"].split()[0]): row
    for row in tabular.result_rows(values, "iris", problem, error)
  }
  assert rows["ERM", "test"]["value"] == 20
  assert rows["ERM", "test"]["std"] == 10
  assert rows["mixup, alpha 1", "minus"]["value"] == 2
  assert rows["mixup, alpha 1", "minus"]["std"] == 1
  assert rows["mixup, alpha 1", "test"]["paper"] == 17.3
  majority = rows["majority class", "test"]
  assert abs(majority["value"] - 66.7) < 1 and majority["paper"] is None


def test_every_table_of_the_config_has_its_paper_numbers():
  assert set(configs.TABLES) < set(tabular.PAPER)


@pytest.mark.parametrize(
  "changes, error, message",
  [
    ({"alphas": (-0.1,)}, ValueError, "alpha must be .* got -0.1"),
    ({"alphas": (float("nan"),)}, ValueError, "alpha must be .* got nan"),
    ({"alphas": ("0.2",)}, TypeError, "alpha must be a number, got '0.2'"),
    ({"seeds": 0}, ValueError, "config.seeds must be at least 1, got 0"),
    ({"batch_size": 1}, ValueError, "config.batch_size must be at least 2"),
    ({"epochs": 0}, ValueError, "config.epochs must be at least 1"),
    ({"datasets": ("irsi",)}, ValueError, "Did you mean 'iris'"),
    ({"datasets": ()}, ValueError, "config.datasets is empty"),
    ({"scaling": "minmax"}, ValueError, "unknown scaling 'minmax'"),
    ({"missing": "median"}, ValueError, "unknown missing 'median'"),
    ({"categorical": "hash"}, ValueError, "unknown categorical 'hash'"),
    ({"train_fraction": 1.0}, ValueError, "train_fraction=1.0 leaves no rows"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, error, message):
  values = config()
  with values.ignore_type():
    values.update(changes)
  with pytest.raises(error, match=message):
    tabular.prepare(values)


def test_missing_data_names_its_command(tmp_path):
  with pytest.raises(FileNotFoundError, match="mixup_jax.data.prepare htru2"):
    tabular.prepare(config(datasets=("htru2",), data_dir=str(tmp_path)))


def test_wrong_models_and_optimisers_are_refused():
  values = config()
  values.model.name = "mpl"
  with pytest.raises(ValueError, match="unknown model 'mpl'"):
    tabular.prepare(values)
  values = config()
  values.optimizer.name = "sdg"
  with pytest.raises(ValueError, match="unknown optimizer 'sdg'"):
    tabular.prepare(values)


def test_a_loss_that_is_not_finite_is_told(monkeypatch):
  values = config(seeds=2)
  problems = tabular.prepare(values)
  curves = {"loss": np.full((2, 5, 10), np.nan), "error": np.zeros((2, 5))}
  monkeypatch.setattr(sweep, "train", lambda *_, **__: curves)
  with pytest.raises(FloatingPointError, match="loss on iris is not finite"):
    tabular.run(values, problems, None)
