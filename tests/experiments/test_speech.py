"""Runs the speech section from end to end on tones, and what is refused."""

import json
import sys

import jax
import pytest

from configs import speech as configs
from experiments.speech import __main__ as speech
from experiments.speech import table
from mixup_jax import sharding
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


def config(**changes):
  values = configs.get_config("smoke")
  values.update(changes)
  return values


@pytest.mark.slow
def test_tones_are_learnt_and_not_twice(tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "speech",
      f"--config={speech.CONFIG}:smoke,model=lenet,level=waveform",
      f"--workdir={tmp_path}",
    ],
  )

  def launch():
    cli.launch(
      "speech",
      prepare=speech.prepare,
      run=speech.run,
      config_file=speech.CONFIG,
    )
    return json.loads((tmp_path / "result.json").read_text())

  result = launch()
  rows = {
    (row["method"], row["metric"]): row["value"]
    for row in result["rows"]
    if row["n"]
  }
  for method in ("ERM", "waveform, alpha 0.2"):
    assert rows[method, table.TEST] < 40  # Chance is 80.
  assert len(result["curves"]) == 4
  for name in ("result.png", "result_spectrograms.png"):
    assert (tmp_path / name).exists()
  assert "not run" in capsys.readouterr().out
  assert launch()["rows"] == result["rows"]


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"alphas": (0.0, 0.2)}, "config.alphas has 0, which is ERM"),
    ({"alphas": (-1.0,)}, "alpha must be .* got -1"),
    ({"decay_every": 0}, "config.decay_every must be at least 1, got 0"),
    ({"batch_size": 12}, "batch_size=12 cannot be shared by 8 devices"),
    (
      {"batch_size": 16, "eval_batch_size": 16, "bins": 200},
      "bins must be from 1 to 161, got 200",
    ),
    (
      {"batch_size": 16, "eval_batch_size": 16, "dataset": "tone"},
      "Did you mean 'tones'",
    ),
    (
      {"batch_size": 16, "eval_batch_size": 16, "levels": ("wave",)},
      "unknown level 'wave'",
    ),
    ({"batch_size": 16, "eval_batch_size": 16, "models": ("mlp",)}, "mlp"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, message):
  with pytest.raises((ValueError, KeyError), match=message):
    speech.prepare(config(**changes))
