"""Tests of Figures 1b and 2, with runs from end to end on digits."""

import json
import sys

import jax
import numpy as np
import pytest

from configs import in_between as configs
from experiments import in_between
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.evaluation import in_between as evaluation
from mixup_jax.recipes import mixing
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])
RINGS = ("--config.rings.steps=5", "--config.rings.pixels=9")
SHORT = ("--config.num_lams=3", "--config.num_pairs=100")
# `[seeds, metrics, lams]`
VALUES = np.array(
  [[[0.0, 8.0, 1.0], [0.1, 0.6, 0.2]], [[2.0, 4.0, 3.0], [0.3, 0.2, 0.4]]]
)


def config(argument="smoke", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


def rings(**changes):
  values = configs.get_config("smoke").rings
  values.update({"hidden": (32, 32), "learning_rate": 1e-2, "pixels": 25})
  values.update(changes)
  return values


def launch(monkeypatch, workdir, part, *argv):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "in_between",
      f"--config={in_between.CONFIG}:smoke,part={part}",
      f"--workdir={workdir}",
      *argv,
    ],
  )
  cli.launch(
    "in_between",
    prepare=in_between.prepare,
    run=in_between.run,
    config_file=in_between.CONFIG,
  )
  return json.loads((workdir / "result.json").read_text())


def made(values, method=None, lams=3):
  """Returns rows and curves of a method, ERM if it is None."""
  method = method or results.ERM
  return in_between.rows_and_curves(
    values, np.linspace(0, 1, lams), {method: VALUES}
  )


def test_run_of_the_rings_alone(tmp_path, capsys, monkeypatch):
  result = launch(monkeypatch, tmp_path, "rings", *RINGS)
  assert [row["method"] for row in result["rows"]] == ["ERM", "mixup, alpha 1"]
  assert len(result["plane"]["percent"]["ERM"]) == 9
  assert "not_run" not in result and "pairs" not in result
  assert (tmp_path / "result.png").exists()
  assert "two rings" in capsys.readouterr().out
  monkeypatch.setattr(in_between, "run_rings", pytest.fail)  # They are kept.
  again = launch(monkeypatch, tmp_path, "rings", *RINGS)
  for name in ("rows", "plane", "wall_seconds"):
    assert again[name] == result[name]


@pytest.mark.slow
def test_run_of_both_parts_and_of_networks_of_a_run(
  tmp_path, capsys, monkeypatch
):
  both, again = tmp_path / "both", tmp_path / "again"
  result = launch(
    monkeypatch,
    both,
    "all",
    "--config.model.blocks=(1,)",
    "--config.epochs=2",
    "--config.num_train=256",
    *RINGS,
    *SHORT,
  )
  rows = {
    (row["method"], row["metric"]): row["value"] for row in result["rows"]
  }
  assert len(rows) == len(result["rows"]) == 2 + 8
  assert result["wall_seconds"] > 0 and len(result["pairs"]) == 4
  for curve in result["pairs"]:
    assert curve["setting"].startswith("digits, preact_resnet18 (blocks (1,)")
    assert np.shape(curve["values"]) == (1, 3)
    assert (
      curve["values"][0][1]
      == rows[curve["method"], f"{curve['metric']}, lam 0.5"]
    )
  found = launch(
    monkeypatch, again, "pairs", f"--config.networks={both}", *SHORT
  )
  assert found["pairs"] == result["pairs"] and "plane" not in found
  assert found["rows"] == result["rows"][2:]
  assert not (again / "erm").exists() and (both / "erm" / "seed_0").exists()
  # The curves are kept; the networks of this run are not trained again.
  monkeypatch.setattr(in_between.in_between, "curves", pytest.fail)
  resumed = launch(
    monkeypatch, again, "pairs", f"--config.networks={both}", *SHORT
  )
  assert resumed["pairs"] == found["pairs"]
  out = capsys.readouterr().out
  assert "norm of the input gradient" in out
  assert "Not run: 8 of the paper's 8 numbers" in out


@pytest.mark.slow
def test_run_of_another_transform(tmp_path, monkeypatch):
  result = launch(
    monkeypatch,
    tmp_path,
    "pairs",
    "--config.mix.name=cutmix",
    "--config.model.blocks=(1,)",
    "--config.epochs=1",
    "--config.num_train=128",
    *SHORT,
  )
  assert {row["key"] for row in result["rows"]} == {"erm", "cutmix"}
  papers = {curve["key"]: len(curve["paper"]) for curve in result["pairs"]}
  assert papers == {"erm": 21, "cutmix": 0}
  assert (tmp_path / "cutmix" / "seed_0").exists()
  assert (tmp_path / "result.png").exists()


def test_run_rings_returns_rows_over_the_seeds_and_the_first_plane():
  values = rings()
  with jax.transfer_guard("disallow"):
    result = in_between.run_rings(values, in_between.draw_rings(values))
  erm, mixup = result["rows"]
  assert erm["n"] == mixup["n"] == 2 and erm["paper"] is None
  assert 0 < erm["value"] < 20 < mixup["value"] - 5
  plane = result["plane"]
  assert [len(points) for points in plane["points"]] == [102, 256]
  assert list(plane["percent"]) == ["ERM", "mixup, alpha 1"]
  assert all(len(lines) == 25 for lines in plane["percent"].values())


def test_run_rings_reports_a_loss_that_is_not_finite():
  values = rings(learning_rate=float("inf"), steps=3)
  with pytest.raises(FloatingPointError, match="config.rings.learning_rate"):
    in_between.run_rings(values, in_between.draw_rings(values))


def test_rows_and_curves_has_rows_of_the_middle_and_of_the_mean():
  name = "cifar10, preact_resnet18"
  result = made(config("dataset=cifar10,seeds=2"))
  rows = result["rows"]
  assert [row["value"] for row in rows] == [6.0, 3.0, 0.4, 0.3]
  assert [row["metric"].split(", ")[1] for row in rows] == [
    "lam 0.5",
    "mean over lam",
  ] * 2
  assert {row["setting"] for row in rows} == {name}
  assert rows[0]["paper"] == 16.516 and rows[2]["paper"] == 0.1768
  assert abs(rows[1]["paper"] - 6.94) < 0.01 and rows[0]["n"] == 2
  assert {number["method"] for number in result["not_run"]} == {
    "mixup, alpha 1"
  }


@pytest.mark.parametrize(
  "argument, changes, mix",
  [
    ("smoke", {}, None),
    ("dataset=cifar10,schedule=short", {}, None),
    ("dataset=cifar10", {"num_train": 100}, None),
    ("dataset=cifar10", {}, {"alpha": 0.2}),
    ("dataset=cifar10", {}, {"name": "cutmix"}),
  ],
)
def test_rows_and_curves_gives_papers_numbers_to_its_setting_alone(
  argument, changes, mix
):
  values = config(argument, **changes)
  if mix:
    values.mix.update(mix)
  result = made(values, mixing.method(values.mix) if mix else None)
  assert all(row["paper"] is None for row in result["rows"])
  assert len(result["not_run"]) == 8


def test_rows_and_curves_has_curves_of_every_seed_and_of_the_paper():
  method = results.Method("mixup", "mixup, alpha 1", 1.0)
  misses, norm = made(config(), method)["pairs"]
  assert (misses["metric"], norm["metric"]) == evaluation.METRICS
  assert misses["lam"] == [0, 0.5, 1] and misses["key"] == "mixup"
  assert norm["values"] == [[0.1, 0.6, 0.2], [0.3, 0.2, 0.4]]
  assert misses["paper"][10] == 6.04 and len(norm["paper"]) == 21


def test_paper_curve_is_a_column_of_figure_2():
  curve = in_between.paper_curve
  assert curve("erm", 0)[10] == 16.516
  assert curve("mixup", 0)[10] == 6.040
  assert curve("erm", 1)[10] == 0.1768
  assert curve("mixup", 1)[0] == 0.0116
  for metric, tolerance in ((0, 0.4), (1, 2e-3)):
    for method in ("erm", "mixup"):
      values = curve(method, metric)  # Digits in the wrong place show.
      assert len(values) == 21
      assert max(abs(a - b) for a, b in zip(values, values[::-1])) < tolerance


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"num_lams": 20}, "num_lams must be odd and at least 3, .* got 20"),
    ({"num_lams": 1}, "num_lams must be odd and at least 3, .* got 1"),
    ({"num_pairs": 2000}, "num_pairs=2000, but digits has 1437 training"),
    ({"num_pairs": -1}, "config.num_pairs must be at least 0, got -1"),
    ({"networks": "nowhere"}, "config.networks=nowhere is no finished run"),
    ({"mix": {"alpha": -1.0}}, "alpha must be .* got -1"),
    ({"part": "ring"}, "unknown part 'ring': choose one of "),
  ],
)
def test_prepare_refuses_bad_configs(changes, message):
  values = config()
  values.update(changes)
  with pytest.raises(ValueError, match=message):
    in_between.prepare(values)


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"seeds": 0}, "config.rings.seeds must be at least 1, got 0"),
    ({"steps": 0}, "config.rings.steps must be at least 1, got 0"),
    ({"alpha": -1.0}, "alpha must be .* got -1"),
    ({"ratio": 2.0}, "ratio must be .* got 2.0"),
  ],
)
def test_prepare_refuses_bad_configs_of_rings(changes, message):
  values = config("smoke,part=rings")
  values.rings.update(changes)
  with pytest.raises(ValueError, match=message):
    in_between.prepare(values)
