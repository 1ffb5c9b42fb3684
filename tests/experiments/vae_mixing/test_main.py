"""Runs the mixing of codes from end to end, and proves what it refuses."""

import functools
import json
import sys

import matplotlib.image
import pytest

from configs import vae_mixing as configs
from experiments.report import tables
from experiments.vae_mixing import __main__ as vae_mixing
from experiments.vae_mixing import table
from mixup_jax import results
from mixup_jax.runtime import cli


def test_the_smoke_run_in_groups_of_seeds(tmp_path, monkeypatch, capsys):
  """Two groups; then the same command does only the second again."""
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "vae_mixing",
      f"--config={vae_mixing.CONFIG}:smoke,method=mixup+codes",
      f"--workdir={tmp_path}",
      "--config.seeds_at_once=1",
      "--config.epochs=2",
      "--config.vae_epochs=3",
      "--config.model.hidden=(16,)",
      "--config.vae.hidden=(16,)",
    ],
  )
  launch = functools.partial(
    cli.launch,
    "vae_mixing",
    prepare=vae_mixing.prepare,
    run=vae_mixing.run,
    config_file=vae_mixing.CONFIG,
  )
  launch()
  result = json.loads((tmp_path / "result.json").read_text())
  rows = {(row["method"], row["metric"]): row for row in result["rows"]}
  assert len(rows) == len(result["rows"]) == 2 + 2 + 2
  error = {
    key: rows[key, table.ERROR]["value"]
    for key in ("input mixup", "VAE codes, mixed")
  }
  difference = rows["VAE codes, mixed", table.DIFFERENCE]
  assert difference["n"] == 2
  assert (
    abs(
      difference["value"] - (error["VAE codes, mixed"] - error["input mixup"])
    )
    < 1e-3
  )
  assert 0 < rows["VAE codes, mixed", results.P_VALUE]["value"] <= 1
  assert rows["the VAE", table.ELBO]["epochs"] == 3
  assert len(result["mixed_inputs"]["rows"]) == 3
  assert matplotlib.image.imread(tmp_path / "result.png").std() > 0.01
  out = capsys.readouterr().out  # Where headers may be wrapped.
  assert set(table.DIFFERENCE.split()) <= set(out.split())
  text = tables.table(result)
  assert (
    f"| digits | {table.ERROR} |" in text and "| VAE codes, mixed |" in text
  )
  lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
  # Of each of two groups, the autoencoder and two methods.
  assert len(lines) == 2 * (3 + 2 * 2)
  assert "digits/0/vae/loss" in json.loads(lines[0])
  first, second = (tmp_path / "digits" / f"group_{i}.json" for i in (0, 1))
  second.unlink()
  written = first.stat().st_mtime_ns
  launch()
  again = json.loads((tmp_path / "result.json").read_text())
  assert again["rows"] == result["rows"]
  assert again["mixed_inputs"] == result["mixed_inputs"]
  assert second.exists() and first.stat().st_mtime_ns == written


def test_settings_say_what_is_narrow():
  config = configs.get_config("dataset=cifar10,smoke")
  assert vae_mixing.setting(config, "digits") == "digits"
  name = vae_mixing.setting(config, "cifar10")
  assert "width 16" in name and "500 training images" in name


@pytest.mark.parametrize(
  "changes, error, message",
  [
    ({"alpha": -1.0}, ValueError, "alpha must be .* got -1"),
    ({"seeds": 0}, ValueError, "config.seeds must be at least 1, got 0"),
    ({"vae_epochs": 0}, ValueError, "config.vae_epochs must be at least 1"),
    ({"methods": ("code",)}, ValueError, "unknown method 'code'"),
    ({"datasets": ("irsi",)}, ValueError, "Did you mean 'iris'"),
    ({"steps_per_dispatch": -1}, ValueError, "must be at least 0, got -1"),
    ({"datasets": ()}, ValueError, "config.datasets is empty"),
    ({"layers": ()}, ValueError, "config.layers is empty"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, error, message):
  config = configs.get_config("smoke")
  with config.ignore_type():
    config.update(changes)
  with pytest.raises(error, match=message):
    vae_mixing.prepare(config)


def test_convolutions_halve_images_and_no_tables():
  config = configs.get_config("smoke")
  config.vae.channels = (4,)
  with pytest.raises(ValueError, match=r"shape \(64,\) do not allow"):
    vae_mixing.prepare(config)
