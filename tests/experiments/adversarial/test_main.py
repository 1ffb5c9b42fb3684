"""Runs section 3.5 from end to end on digits, and proves what is refused."""

import json
import sys

import jax
import pytest

from configs import adversarial as configs
from experiments.adversarial import __main__ as adversarial
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
      "adversarial",
      f"--config={adversarial.CONFIG}:smoke",
      f"--workdir={workdir}",
      "--config.num_images=64",
      "--config.epsilons=(0.0, 32.0)",
      "--config.epsilon=32.0",
      *argv,
    ],
  )
  cli.launch(
    "adversarial",
    prepare=adversarial.prepare,
    run=adversarial.run,
    config_file=adversarial.CONFIG,
  )
  return json.loads((workdir / "result.json").read_text())


def values_of(result):
  return {
    (row["method"], row["metric"]): row["value"]
    for row in result["rows"]
    if row["n"]
  }


@pytest.mark.slow
def test_networks_are_trained_or_taken_from_a_run(
  tmp_path, capsys, monkeypatch
):
  first, again = tmp_path / "first", tmp_path / "again"
  result = launch(
    monkeypatch, first, "--config.model.blocks=(1,)", "--config.epochs=5"
  )
  rows = values_of(result)
  for method in ("ERM", "mixup"):
    clean, black, white = (
      rows[method, f"top-1 error (%), {attack}"]
      for attack in ("no attack", "black box, I-FGSM", "white box, I-FGSM")
    )
    assert clean < black < white
  assert {
    (c["method"], len(c["values"]))
    for c in result["robustness"]
    if "black" in c["attack"]
  } == {("ERM", 1), ("mixup", 2)}
  assert result["strip"]["columns"] == 8
  assert (first / "result.png").exists()
  assert "not run" in capsys.readouterr().out
  found = launch(monkeypatch, again, f"--config.networks={first}")
  assert values_of(found) == rows
  # A run whose checkpoints are of another network than it says.
  path = first / "result.json"
  path.write_text(path.read_text().replace('"width": 8', '"width": 4'))
  with pytest.raises(SystemExit) as stopped:
    launch(monkeypatch, tmp_path / "other", f"--config.networks={first}")
  assert stopped.value.code == 2
  assert "is of another model" in capsys.readouterr().err


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"epsilons": (0.0, -4.0, 16.0)}, "config.epsilons has -4.0: it is how"),
    ({"epsilons": (0.0, 4.0)}, "must hold 0 and config.epsilon=16.0"),
    ({"epsilon": -1.0}, "must hold 0 and config.epsilon=-1.0"),
    ({"restarts": 0}, "config.restarts must be at least 1, got 0"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, message):
  with pytest.raises(ValueError, match=message):
    adversarial.prepare(config(**changes))
