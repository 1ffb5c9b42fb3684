"""Runs section 3.1 from end to end on digits, stopped and continued."""

import json
import sys

import jax
import pytest

from configs import imagenet as configs
from experiments.imagenet import __main__ as imagenet
from experiments.imagenet import table
from mixup_jax import sharding
from mixup_jax.runtime import cli
from mixup_jax.runtime import preemption

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


def config(**changes):
  values = configs.get_config("smoke")
  values.update(changes)
  return values


@pytest.mark.slow
def test_a_run_on_digits_is_stopped_and_goes_on(tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "imagenet",
      f"--config={imagenet.CONFIG}:smoke,method=mixup",
      f"--workdir={tmp_path}",
      "--config.image_size=16",
      "--config.model.blocks=(1,)",
      "--config.model.width=4",
      "--config.epochs=2",
      "--config.warmup_epochs=0",
      "--config.accumulation=2",
      "--config.batch_size=128",
    ],
  )

  def launch():
    cli.launch(
      "imagenet",
      prepare=imagenet.prepare,
      run=imagenet.run,
      config_file=imagenet.CONFIG,
    )

  monkeypatch.setattr(
    preemption.Preemption, "reached", lambda self, done: done == 13
  )
  with pytest.raises(SystemExit) as stopped:
    launch()
  assert stopped.value.code == 143
  assert "stopped after step 13, which is saved" in capsys.readouterr().out
  monkeypatch.setattr(
    preemption.Preemption, "reached", lambda self, done: False
  )
  launch()
  result = json.loads((tmp_path / "result.json").read_text())
  rows = {row["metric"]: row["value"] for row in result["rows"] if row["n"]}
  assert 0 < rows[table.TOP5] < rows[table.TOP1] < 100
  assert len(result["curves"][0]["values"][0]) == 2
  assert sum(row["n"] == 0 for row in result["rows"]) == 30
  written = (tmp_path / "mixup" / "seed_0" / "metrics.jsonl").read_text()
  steps = [
    json.loads(line)["step"]
    for line in written.splitlines()
    if "loss" in line and "epoch" not in line
  ]
  assert steps == list(range(1, 2 * 22 + 1))


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"method": "mixpu"}, "unknown method 'mixpu': choose one of erm"),
    ({"alpha": -1.0}, "alpha must be .* got -1"),
    ({"batch_size": 2048}, "batch_size=2048 is more than the 1437 training"),
    ({"dataset": "imagenet_2012"}, "unknown set 'imagenet_2012'"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, message):
  with pytest.raises(ValueError, match=message):
    imagenet.prepare(config(**changes))


def test_missing_data_names_its_command(tmp_path):
  values = config(dataset="tiny_imagenet", data_dir=str(tmp_path))
  with pytest.raises(FileNotFoundError, match="data.prepare tiny_imagenet"):
    imagenet.prepare(values)


def test_a_step_is_lowered_without_the_data():
  values = configs.get_config("dataset=imagenet2012")
  values.model.update(width=8, blocks=(1,), bn_group_size=0)
  values.image_size, values.accumulation = 32, 4
  lowered = imagenet.lower(values, 0.2, sharding.make_mesh())
  _, state, batch = lowered.in_avals[0]
  assert batch["images"].shape == (256, 32, 32, 3)  # Of 1,024, in four steps.
  assert (1000,) in [x.shape for x in jax.tree.leaves(state.params)]
