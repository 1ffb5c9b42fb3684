"""Runs the comparison from end to end, and proves what is refused."""

import json
import sys

import jax
import numpy as np
import pytest

from configs import vae_mixing as configs
from experiments.vae_mixing import __main__ as vae_mixing
from experiments.vae_mixing import methods
from experiments.vae_mixing import table
from mixup_jax import cli
from mixup_jax import sharding


@pytest.mark.slow
def test_digits(tmp_path, capsys, monkeypatch):
  mesh = sharding.make_mesh(jax.devices()[:2])
  monkeypatch.setattr(sharding, "make_mesh", lambda: mesh)
  monkeypatch.setattr(sys, "argv", [
      "vae_mixing", f"--config={vae_mixing.CONFIG}:smoke",
      f"--workdir={tmp_path}", "--config.epochs=1", "--config.vae_steps=5",
      "--config.seeds_per_device=1", "--config.model.hidden=(8,)",
      "--config.layers=(1,)", "--config.vae.hidden=(8,)",
      "--config.train_fraction=0.1"
  ])
  cli.launch("vae_mixing",
             prepare=vae_mixing.prepare,
             run=vae_mixing.run,
             config_file=vae_mixing.CONFIG)
  result = json.loads((tmp_path / "result.json").read_text())
  rows = [row for row in result["rows"] if row["metric"] == table.ERROR]
  assert [row["method"] for row in rows] == list(methods.NAMES)
  assert all(row["n"] == 2 and 0 < row["value"] < 100 for row in rows)
  assert len(result["mixtures"]) == 3 and (tmp_path / "result.png").exists()
  assert "paired" in capsys.readouterr().out


def test_digits_are_a_table_of_all_images():
  digits = vae_mixing.load(configs.get_config(), "digits")
  assert digits.features.shape == (1797, 64)
  assert digits.features.max() == 1 and digits.features.min() == 0
  assert np.bincount(digits.labels).min() > 170


@pytest.mark.parametrize("changes, words", [
    ({"seeds": 1}, "config.seeds must be at least 2, got 1"),
    ({"vae_steps": 0}, "config.vae_steps must be at least 1"),
    ({"alphas": (-1.0,)}, "alpha"),
    ({"alphas": ()}, "config.alphas is empty"),
    ({"datasets": ("mnist",)}, "unknown table 'mnist'"),
])  # yapf: disable
def test_what_is_refused(changes, words):
  config = configs.get_config("smoke")
  config.update(changes)
  with pytest.raises(ValueError, match=words):
    vae_mixing.prepare(config)
