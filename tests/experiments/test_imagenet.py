"""Tests of section 3.1, with one run on digits, stopped and resumed."""

import json
import sys
import types

import jax
import pytest

from configs import imagenet as configs
from experiments import imagenet
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.recipes import mixing
from mixup_jax.recipes import streaming
from mixup_jax.runtime import cli
from mixup_jax.runtime import preemption

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])
PAPERS = "dataset=imagenet2012,epochs=90"
MIXUP = results.Method("mixup", "mixup, alpha 0.2", 0.2)


def config(argument="smoke", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


@pytest.mark.slow
def test_launch_on_digits_stops_and_resumes(tmp_path, capsys, monkeypatch):
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

  monkeypatch.setattr(preemption, "reached", lambda done: done == 13)
  with pytest.raises(SystemExit) as stopped:
    launch()
  assert stopped.value.code == 143
  assert "stopped after step 13, and saved" in capsys.readouterr().out
  monkeypatch.setattr(preemption, "reached", lambda done: False)
  launch()
  result = json.loads((tmp_path / "result.json").read_text())
  rows = {row["metric"]: row["value"] for row in result["rows"]}
  assert 0 < rows[imagenet.TOP5] < rows[imagenet.TOP1] < 100
  assert len(result["curves"][0]["values"][0]) == 2
  assert len(result["not_run"]) == 15 + 12
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
    ({"mix": {"name": "mixpu"}}, "mix.name='mixpu'. Did you mean 'mixup'"),
    ({"mix": {"alpha": -1.0}}, "alpha must be .* got -1"),
    ({"batch_size": 2048}, "batch_size=2048 is more than the 1437 training"),
    ({"dataset": "imagenet_2012"}, "unknown set 'imagenet_2012'"),
    (
      {"epochs": 1, "warmup_epochs": 0, "batch_size": 2048, "accumulation": 32},
      "epochs=1 are 22 steps, and one update takes config.accumulation=32",
    ),
    (
      {"model": {"bn_group_size": 48}},
      "bn_group_size=48 does not divide the 64 images of a step",
    ),
    ({"epochs": 1}, "a warm-up of 1 epochs leaves none of 1 for step"),
    (
      {"batch_size": 32, "accumulation": 4},
      "'local_roll' partners need .* 8 examples on 8 devices.*less accumul",
    ),
  ],
)
def test_prepare_refuses_bad_configs(changes, message):
  with pytest.raises(ValueError, match=message):
    imagenet.prepare(config(**changes))


def test_prepare_without_data_names_the_command(tmp_path):
  values = config(dataset="tiny_imagenet", data_dir=str(tmp_path))
  with pytest.raises(FileNotFoundError, match="data.prepare tiny_imagenet"):
    imagenet.prepare(values)


def test_lower_needs_no_data():
  values = configs.get_config("dataset=imagenet2012")
  values.model.update(width=8, blocks=(1,), bn_group_size=0)
  values.image_size, values.accumulation = 32, 4
  method = mixing.method(values.mix)
  lowered = imagenet.lower(values, method, sharding.make_mesh())
  _, state, batch = lowered.in_avals[0]
  assert batch["images"].shape == (256, 32, 32, 3)  # Of 1,024, in four steps.
  assert (1000,) in [x.shape for x in jax.tree.leaves(state.params)]


def lines(*errors):
  return [
    {
      "epoch": epoch,
      "validation/error": error,
      "validation/top5_error": error / 4,
      "validation/nll": 1.0,
      "validation/ece": 2.0,
      "train/error": error + 1,
      "train/seconds": 2.0,
      "seconds": 1.0,
    }
    for epoch, error in enumerate(errors, start=1)
  ]


@pytest.fixture
def run(monkeypatch, tmp_path):
  """Returns the result of a config, with what training returns made up."""

  def run_config(values, method=MIXUP):
    trained = lines(60, 24), lines(50, 20)
    values.seeds = 2

    def train(config, program, data, *, seed, workdir):
      assert workdir == tmp_path / method.key / f"seed_{seed}"
      return trained[seed]

    monkeypatch.setattr(streaming, "train", train)
    recorder = types.SimpleNamespace(workdir=tmp_path)
    prepared = imagenet.Prepared(None, {method: None})
    return imagenet.run(values, prepared, recorder)

  return run_config


def by_metric(result):
  return {row["metric"]: row for row in result["rows"]}


def test_run_rows_are_of_the_last_epoch(run):
  result = run(config(PAPERS))
  rows = by_metric(result)
  top1, top5 = rows[imagenet.TOP1], rows[imagenet.TOP5]
  assert top1["value"] == 22 and top1["n"] == 2
  assert top5["value"] == 5.5
  assert top1["paper"] == 23.3 and top5["paper"] == 6.6
  assert rows["NLL (nats), last epoch"]["value"] == 1
  assert rows["ECE (%), last epoch"]["value"] == 2
  assert rows["training error (%), weighted by lam"]["value"] == 23
  assert rows["seconds a network"]["value"] == 6
  assert result["wall_seconds"] == 12
  assert (
    by_metric(run(config(PAPERS), results.ERM))[imagenet.TOP5]["paper"] is None
  )


@pytest.mark.parametrize(
  "argument, changes, method",
  [
    ("dataset=tiny_imagenet,epochs=90", {}, results.ERM),
    (PAPERS, {"batch_size": 256}, results.ERM),
    (PAPERS, {"epochs": 30}, results.ERM),
    (PAPERS, {"mix": {"probability": 0.5}}, results.ERM),
    (PAPERS, {}, results.Method("mixup", "mixup, alpha 0.4", 0.4)),
    (PAPERS, {}, results.Method("cutmix", "cutmix, alpha 0.2", 0.2)),
  ],
)
def test_run_gives_papers_numbers_to_the_papers_setting_alone(
  run, argument, changes, method
):
  result = run(config(argument, **changes), method)
  assert all(row["paper"] is None for row in result["rows"])
  assert len(result["not_run"]) == 15 + 12


def test_setting_names_overrides():
  name = imagenet.setting(config("dataset=tiny_imagenet,epochs=3"))
  assert name.startswith("tiny_imagenet, resnet50, 3 epochs (")
  assert "width 24" in name and "image size 64" in name
  assert imagenet.setting(config(PAPERS)) == "imagenet2012, resnet50, 90 epochs"
  longer = config("dataset=imagenet2012,epochs=200")
  assert imagenet.setting(longer) == "imagenet2012, resnet50, 200 epochs"


def test_run_lists_numbers_of_the_paper_that_were_not_run(run):
  assert len(imagenet.PAPER) == 15 + 12
  found = {number[:3]: number.value for number in imagenet.PAPER}
  assert (
    found[
      "imagenet2012, resnext101_32x4d, 200 epochs",
      "mixup, alpha 0.4",
      imagenet.TOP1,
    ]
    == 20.1
  )
  missing = run(config(PAPERS))["not_run"]
  assert len(missing) == 15 + 12 - 2
  assert {number["paper"] for number in missing} <= set(found.values())


def test_run_curves_are_errors_over_the_epochs(run):
  top1, training = run(config(PAPERS))["curves"]
  assert top1["values"] == [[60, 24], [50, 20]] and top1["epochs"] == [1, 2]
  assert training["values"] == [[61, 25], [51, 21]]
  assert top1["method"] == "mixup, alpha 0.2" and top1["key"] == "mixup"
