"""Runs Figures 1b and 2 from end to end on digits; proves what is refused."""

import json
import sys

import jax
import numpy as np
import pytest

from configs import in_between as configs
from experiments.in_between import __main__ as in_between
from mixup_jax import sharding
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


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


def test_rings_alone(tmp_path, capsys, monkeypatch):
  result = launch(
    monkeypatch,
    tmp_path,
    "rings",
    "--config.rings.steps=5",
    "--config.rings.pixels=9",
  )
  assert [row["method"] for row in result["rows"]] == ["ERM", "mixup, alpha 1"]
  assert len(result["plane"]["percent"]["ERM"]) == 9
  assert "layout" not in result  # A table of one metric needs none.
  assert (tmp_path / "result.png").exists()
  assert "two rings" in capsys.readouterr().out


@pytest.mark.slow
def test_both_parts_and_networks_of_a_run_before(tmp_path, capsys, monkeypatch):
  both, again = tmp_path / "both", tmp_path / "again"
  short = ("--config.num_lams=3", "--config.num_pairs=100")
  result = launch(
    monkeypatch,
    both,
    "all",
    "--config.rings.steps=5",
    "--config.rings.pixels=9",
    "--config.model.blocks=(1,)",
    "--config.epochs=2",
    "--config.num_train=256",
    *short,
  )
  rows = {
    (row["method"], row["metric"]): row["value"] for row in result["rows"]
  }
  assert len(rows) == len(result["rows"]) == 2 + 8
  assert result["wall_seconds"] > 0 and len(result["pairs"]) == 4
  assert len(result["layout"]["metrics"]) == 5
  for curve in result["pairs"]:
    assert curve["setting"].startswith("digits, preact_resnet18 (blocks (1,)")
    assert np.shape(curve["values"]) == (1, 3)
    assert (
      curve["values"][0][1]
      == rows[curve["method"], f"{curve['metric']}, lam 0.5"]
    )
  found = launch(
    monkeypatch, again, "pairs", f"--config.networks={both}", *short
  )
  assert found["pairs"] == result["pairs"] and "plane" not in found
  assert found["rows"] == result["rows"][2:]
  assert not (again / "ERM").exists()
  assert "norm of the input gradient" in capsys.readouterr().out


def test_a_wrong_part_is_refused():
  config = configs.get_config("part=ring")
  with pytest.raises(ValueError, match="unknown part 'ring': choose one of "):
    in_between.prepare(config)
