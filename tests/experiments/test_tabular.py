"""Tests of section 3.6, with one run from end to end."""

import functools
import json
import sys
import types

import jax
import numpy as np
import pytest

from configs import tabular as configs
from experiments import tabular
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.recipes import mixing
from mixup_jax.runtime import cli
from mixup_jax.train import sweep


def config(**changes):
  values = configs.get_config("smoke")
  values.update(changes)
  return values


def test_run_of_the_smoke_config(tmp_path, capsys, monkeypatch):
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
  keys = {row["key"] for row in result["rows"]}
  assert keys == {"majority_class", "erm", "mixup"}
  assert len(result["not_run"]) == 10
  kept = list((tmp_path / "iris").glob("seeds_*_to_*.json"))
  assert kept and result["wall_seconds"] > 0
  lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
  assert len(lines) == 11 and "iris/ERM/loss" in json.loads(lines[0])
  assert abs(json.loads(lines[-1])["iris/ERM/error"] - erm["value"]) < 1e-3


def test_result_rows_are_means_spreads_and_paired_differences():
  values = config(alphas=(1.0,), seeds=3)
  problem = tabular.prepare(values)[""]["iris"]
  error = np.array([[10.0, 12.0], [20.0, 23.0], [30.0, 31.0]])
  made = tabular.result_rows(values, "iris", problem, error)
  made, _ = results.beside_paper(made, tabular.paper_numbers())
  rows = {(row["method"], row["metric"].split()[0]): row for row in made}
  assert rows["ERM", "test"]["value"] == 20
  assert rows["ERM", "test"]["std"] == 10
  assert rows["mixup, alpha 1", "minus"]["value"] == 2
  assert rows["mixup, alpha 1", "minus"]["std"] == 1
  assert {row["overlap"] for row in made} == {1.0}  # 75 rows, and 75.
  assert rows["mixup, alpha 1", "test"]["paper"] == 17.3
  majority = rows["majority class", "test"]
  assert abs(majority["value"] - 66.7) < 1 and majority["paper"] is None


def test_paper_numbers_of_phishing_are_of_website_phishing():
  numbers = {(x.setting, x.method): x.value for x in tabular.paper_numbers()}
  assert len(numbers) == 12
  assert numbers["website_phishing", "mixup"] == 15.2
  names = {name for name, _ in numbers}
  assert names ^ set(configs.TABLES) == {
    "website_phishing",
    "phishing_websites",
  }


def test_setting_names_overrides_of_mix_and_model():
  values = config()
  assert tabular.setting(values, "iris") == "iris"
  values.mix.per_example = True
  assert tabular.setting(values, "iris") == "iris (per example True)"
  values = config()
  values.model.initializer = "flax"
  assert tabular.setting(values, "iris") == "iris (initializer flax)"


def test_setting_of_images_leaves_out_what_is_of_tables():
  values = configs.get_config("scaling=none")
  assert tabular.setting(values, "iris") == "iris (scaling none)"
  assert tabular.setting(values, "digits") == "digits"


def test_methods_have_one_column_where_alpha_changes_nothing():
  values = config(alphas=(0.1, 1.0))
  assert [method.label for method in tabular.methods(values)] == [
    "ERM",
    "mixup, alpha 0.1",
    "mixup, alpha 1",
  ]
  values.mix.name = "label_smoothing"
  assert [method.label for method in tabular.methods(values)] == [
    "ERM",
    "label smoothing, epsilon 0.1",
  ]


def train(values):
  """Returns the curves of a config on Iris, of two small networks."""
  values.update({"seeds": 2, "epochs": 2, "alphas": (0.5, 8.0)})
  values.model.hidden = (4, 4)
  values.optimizer.learning_rate = 5e-2
  problem = tabular.prepare(values)[""]["iris"]
  assert problem.splits.train_rows.shape[1] % values.batch_size  # Padding.
  # JAX takes the branches of a vmapped switch to use a key twice.
  with jax.debug_key_reuse(values.mix.name != "mixup_or_cutmix"):
    return sweep.train(
      tabular.make_program(values, problem),
      problem,
      tabular.options(values),
      mesh=sharding.make_mesh(),
      seeds_per_device=1,
    )


@functools.cache
def losses(name, *, plain_first=0, plain_last=0):
  """Returns the losses of a transform, `[seeds, methods, epochs]`."""
  values = config()
  values.mix.name = name
  values.mix.epsilon = values.mix.sigma = 0.5
  values.mix.plain_first_epochs = plain_first
  values.mix.plain_last_epochs = plain_last
  loss = train(values)["loss"]
  assert loss.shape == (2, len(tabular.methods(values)), 2)
  return loss


DIFFERS = 1.5e-5  # Losses near 1 that are equal agree to 1e-5.


@pytest.fixture(scope="module")
def erm():
  """The curves of ERM, of a mix that is off in every epoch."""
  loss = losses("mixup", plain_first=2)
  # In no column anything is mixed.
  for index in (1, 2):
    np.testing.assert_array_equal(loss[:, index], loss[:, 0])
  return loss[:, 0]


@pytest.mark.parametrize("name", mixing.TRANSFORMS)
def test_make_program_runs_every_transform(erm, name):
  loss = losses(name)
  assert np.isfinite(loss).all()
  np.testing.assert_allclose(loss[:, 0], erm, rtol=1e-5)
  last = loss[..., -1]
  for index in range(1, loss.shape[1]):  # Each column is a method of its own.
    assert (abs(last[:, index, None] - last[:, :index]) > DIFFERS).all()


@pytest.mark.parametrize("name", ("cutmix", "label_smoothing"))
def test_make_program_mixes_in_no_plain_epoch(erm, name):
  first = losses(name, plain_first=1)[:, 1:]
  last = losses(name, plain_last=1)[:, 1:]
  assert np.allclose(first[..., 0], erm[:, None, 0], rtol=1e-5)
  assert (abs(first[..., 1] - erm[:, None, 1]) > DIFFERS).all()
  assert (abs(last[..., 0] - erm[:, None, 0]) > DIFFERS).all()
  # Its second epoch is plain, of weights that differ.
  mixed = losses(name)[:, 1:]
  np.testing.assert_allclose(last[..., 0], mixed[..., 0], rtol=1e-5)
  assert (abs(last[..., 1] - mixed[..., 1]) > DIFFERS).all()


def test_run_of_a_map_shows_distances_and_the_closest_protocols(
  monkeypatch, tmp_path
):
  values = configs.get_config("map,smoke,seeds=2")
  values.update(alphas=(0.2, 1.0), seeds=2)
  errors = iter(range(10, 70, 10))  # Of ERM; one for each of six protocols.

  def train(*_, workdir, **__):
    erm = next(errors)
    assert workdir.parent.parent == tmp_path and workdir.name == "iris"
    found = np.array([[erm, erm, erm - 4.0], [erm, erm, erm - 6.0]])
    return {"loss": np.ones((2, 3, 10)), "error": found, "seconds": 1.0}

  monkeypatch.setattr(sweep, "train", train)
  recorder = types.SimpleNamespace(workdir=tmp_path, metrics=lambda *_: None)
  result = tabular.run(values, tabular.prepare(values), recorder)
  first, *others = result["heat_maps"]
  assert first["lines"][0] == "torch, none, 0.5" and len(first["lines"]) == 6
  assert first["values"][1][1] == round(((1.3**2 + 2.3**2) / 2) ** 0.5, 2)
  assert [each["method"] for each in others] == [
    "mixup, alpha 0.2",
    "mixup, alpha 1",
  ]
  assert [line[0] for line in others[1]["values"]] == [-5] * 6
  shown = [row for row in result["rows"] if row["metric"] == tabular.ERROR]
  assert [row["method"].split("; ")[0] for row in shown] == [
    *["ERM"] * 3,
    *("mixup, alpha 1", "mixup, alpha 1", "mixup, alpha 0.2"),
  ]
  # 20 and 15 are closest to 21.3 and 17.3, then 30 and 25, then 10 and 10.
  assert [row["value"] for row in shown[:3]] == [20, 30, 10]
  assert {row["setting"] for row in shown} == {"iris"}
  assert {row["paper"] for row in shown} == {21.3, 17.3}


@pytest.mark.parametrize(
  "changes, error, message",
  [
    ({"alphas": (-0.1,)}, ValueError, "config.alphas must be .* got -0.1"),
    (
      {"alphas": (float("nan"),)},
      ValueError,
      "config.alphas must be .* got nan",
    ),
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
    ({"grid": {"scaling": ("log",)}}, ValueError, "unknown scaling 'log'"),
    ({"grid": {"scaling": ()}}, ValueError, "config.grid.scaling is empty"),
    (
      {"grid": {"train_fraction": (0.5, 2.0)}},
      ValueError,
      "config.grid.train_fraction must be at most 1, got 2.0",
    ),
    (
      {"grid": {"scaling": ("none",)}, "mix.name": "cutmix"},
      ValueError,
      "config.mix.name=mixup, not cutmix",
    ),
    (
      {"grid": {"scaling": ("none",)}, "alphas": ()},
      ValueError,
      r"an alpha, of \(\)",
    ),
    (
      {"grid": {"scaling": ("none",)}, "datasets": ("phishing_websites",)},
      ValueError,
      "one of the paper's tables, of .'phishing_websites'",
    ),
    ({"model.initializer": "keras"}, ValueError, "initializer 'keras'"),
    ({"mix.name": "cutmx"}, ValueError, "Did you mean 'cutmix'"),
    ({"mix.plain_first_epochs": 11}, ValueError, "at most the 10 epochs"),
    ({"mix.group_size": 3}, ValueError, "does not divide the batch of 16"),
    (
      {"mix.name": "manifold", "mix.layers": (0, 9)},
      ValueError,
      "no depth 9 to mix at",
    ),
    ({"alphas": (0.0, 1.0)}, ValueError, "alpha=0 mixes nothing"),
  ],
)
def test_prepare_refuses_bad_configs_before_any_work(changes, error, message):
  values = config()
  with values.ignore_type():
    values.update_from_flattened_dict(changes)
  with pytest.raises(error, match=message):
    tabular.prepare(values)


def test_prepare_without_data_names_the_command(tmp_path):
  with pytest.raises(FileNotFoundError, match="mixup_jax.data.prepare htru2"):
    tabular.prepare(config(datasets=("htru2",), data_dir=str(tmp_path)))


def test_prepare_refuses_wrong_models_and_optimisers():
  values = config()
  values.model.name = "mpl"
  with pytest.raises(ValueError, match="unknown model 'mpl'"):
    tabular.prepare(values)
  values = config()
  values.optimizer.name = "sdg"
  with pytest.raises(ValueError, match="unknown optimizer 'sdg'"):
    tabular.prepare(values)


def test_run_with_a_loss_that_is_not_finite_raises(monkeypatch, tmp_path):
  values = config(seeds=2)
  problems = tabular.prepare(values)
  curves = {"loss": np.full((2, 5, 10), np.nan), "error": np.zeros((2, 5))}
  monkeypatch.setattr(sweep, "train", lambda *_, **__: curves)
  with pytest.raises(FloatingPointError, match="loss on iris is not finite"):
    tabular.run(values, problems, types.SimpleNamespace(workdir=tmp_path))
