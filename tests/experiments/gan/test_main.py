"""Plays from end to end, stops and goes on, and proves what is refused."""

import json
import sys

import jax
import pytest

from configs import gan as configs
from experiments.gan import __main__ as gan
from mixup_jax import sharding
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


@pytest.mark.slow
def test_a_run_and_the_same_command_again(tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "gan",
      f"--config={gan.CONFIG}:smoke,dataset=ring,method=mixup",
      f"--workdir={tmp_path}",
      "--config.hidden=(8,)",
      "--config.iterations=20",
      "--config.short_iterations=10",
      "--config.measure_every=10",
      "--config.snapshots=(5, 20)",
      "--config.num_shown=9",
    ],
  )

  def launch():
    return cli.launch(
      "gan", prepare=gan.prepare, run=gan.run, config_file=gan.CONFIG
    )

  launch()
  first = json.loads((tmp_path / "result.json").read_text())
  assert "modes covered" in capsys.readouterr().out
  assert {row["n"] for row in first["rows"]} == {1, 2}
  assert first["snapshots"][0]["iterations"] == [5, 20]
  assert (tmp_path / "result.png").exists()
  launch()
  again = json.loads((tmp_path / "result.json").read_text())
  assert again["rows"] == first["rows"]  # Read, and not played again.
  assert again["snapshots"] == first["snapshots"]


@pytest.mark.parametrize(
  "changes, words",
  [
    ({"part": "mode"}, "unknown part 'mode': choose one of modes, stability"),
    ({"methods": ("erm", "mixed")}, "unknown 'mixed' in config.methods"),
    ({"datasets": ("spiral",)}, "unknown 'spiral' in config.datasets"),
    ({"generator_losses": ("hinge",)}, "unknown 'hinge' in config.generator"),
    ({"seeds": 0}, "config.seeds must be at least 1, got 0"),
    ({"alpha": 1.5, "methods": ("mixup_code",)}, "draws lam from U"),
    ({"alpha": -1.0}, "alpha must be at least 0"),
    ({"learning_rate": 0.0}, "learning_rate above 0, got 0.2 and 0.0"),
    ({"iterations": 1_500}, "config.iterations=1500 is no multiple of config"),
  ],
)
def test_what_is_refused(changes, words):
  config = configs.get_config()
  config.update(changes)
  with pytest.raises(ValueError, match=words):
    gan.prepare(config)


def test_every_part_can_be_prepared():
  config = configs.get_config("part=stability")
  cells = gan.prepare(config)
  assert len(cells) == 2 * len(config.widths) * len(config.learning_rates)
  assert len(gan.prepare(configs.get_config())) == 4
  for argument in ("smoke", "smoke,part=stability"):
    assert gan.prepare(configs.get_config(argument))
