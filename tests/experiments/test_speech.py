"""Tests of section 3.3, with one run from end to end on tones."""

import json
import sys
import types

import jax
import pytest

from configs import speech as configs
from experiments import speech
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data.in_memory import audio
from mixup_jax.recipes import in_memory
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])
PAPERS = "dataset=speech_commands_v0.01"
MIXUP = results.Method("spectrogram_alpha_0.2", "spectrogram, alpha 0.2", 0.2)


def config(argument="smoke", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


@pytest.mark.slow
@pytest.mark.usefixtures("fast_steps")
def test_launch_learns_tones_and_does_not_train_twice(
  tmp_path, capsys, monkeypatch
):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "speech",
      f"--config={speech.CONFIG}:smoke,model=lenet,level=waveform",
      f"--workdir={tmp_path}",
      "--config.epochs=3",
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
    (row["method"], row["metric"]): row["value"] for row in result["rows"]
  }
  for method in ("ERM", "waveform, alpha 0.2"):
    assert rows[method, speech.TEST] < 40  # Chance is 80.
  assert len(result["curves"]) == 4
  for name in ("result.png", "result_spectrograms.png"):
    assert (tmp_path / name).exists()
  assert "Not run: 12 of the paper's 12" in capsys.readouterr().out
  for method in ("erm", "waveform_alpha_0.2"):
    assert (tmp_path / "lenet" / method / "seed_0" / "metrics.jsonl").exists()
  assert launch()["rows"] == result["rows"]


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"alphas": (0.0, 0.2)}, "alpha=0 mixes nothing"),
    ({"alphas": (-1.0,)}, "alpha must be .* got -1"),
    ({"decay_every": 0}, "config.decay_every must be at least 1, got 0"),
    ({"batch_size": 12}, "batch_size=12 cannot be shared by 8 devices"),
    ({"bins": 200}, "bins must be from 1 to 161, got 200"),
    ({"dataset": "tone"}, "Did you mean 'tones'"),
    ({"levels": ("wave",)}, "unknown level 'wave'"),
    ({"models": ("mlp",)}, "mlp"),
    ({"mix": {"name": "mixpu"}}, "mix.name='mixpu'. Did you mean 'mixup'"),
    ({"mix": {"plain_last_epochs": 4}}, "at most the 4 epochs of a run"),
    ({"mix": {"name": "manifold"}}, "use config.levels="),
  ],
)
def test_prepare_refuses_bad_configs(changes, message):
  sizes = {"batch_size": 16, "eval_batch_size": 16}
  with pytest.raises((ValueError, KeyError, TypeError), match=message):
    speech.prepare(config(**sizes | changes))


def test_methods_are_erm_and_each_level_and_alpha():
  values = config("")
  found = speech.methods(values)
  assert [method.label for method in found] == [
    "ERM",
    "spectrogram, alpha 0.1",
    "spectrogram, alpha 0.2",
    "waveform, alpha 0.1",
    "waveform, alpha 0.2",
  ]
  assert [(level, mix and mix.alpha) for level, mix in found.values()] == [
    ("spectrogram", None),
    ("spectrogram", 0.1),
    ("spectrogram", 0.2),
    ("waveform", 0.1),
    ("waveform", 0.2),
  ]
  assert list(found)[2] == MIXUP and list(found)[0] == results.ERM
  values.mix.name = "cutmix"
  last = list(speech.methods(values))[-1]
  assert last == results.Method(
    "waveform_cutmix_alpha_0.2", "waveform, cutmix, alpha 0.2", 0.2
  )


def test_methods_of_a_transform_without_alpha_are_erm_and_one():
  values = config("level=spectrogram")
  values.mix.name = "label_smoothing"
  assert list(speech.methods(values)) == [
    results.ERM,
    results.Method(
      "spectrogram_label_smoothing_epsilon_0.1",
      "spectrogram, label smoothing, epsilon 0.1",
    ),
  ]


def lines(*errors):
  return [
    {
      "epoch": epoch,
      "validation/error": error,
      "test/error": error + 1,
      "test/nll": 0.5,
      "test/ece": 2.0,
      "clean/error": 0.0,
      "train/error": error,
      "train/seconds": 2.0,
      "seconds": 1.0,
    }
    for epoch, error in enumerate(errors, start=1)
  ]


@pytest.fixture(scope="module")
def data():
  return audio.load("tones")


@pytest.fixture
def run(monkeypatch, tmp_path, data):
  """Returns the result of a config, with what training returns made up."""

  def run_config(values, method=results.ERM, model="vgg11"):
    trained = lines(9, 5, 7), lines(9, 7, 8)
    for first, *_ in trained:  # The lowest test error, of another epoch.
      first["test/error"] = 4
    values.seeds = 2

    def train(config, program, given, *, seed, workdir, measured):
      assert workdir == tmp_path / model / method.key / f"seed_{seed}"
      assert program == "program" and given.name == "tones"
      assert measured == {"validation": data.validation}
      return trained[seed]

    monkeypatch.setattr(in_memory, "train", train)
    monkeypatch.setattr(
      speech.audio, "mixed_spectrograms", lambda config, data: "shown"
    )
    networks = {speech.Network(model, method): lambda: "program"}
    prepared = speech.Prepared(data, networks)
    recorder = types.SimpleNamespace(workdir=tmp_path)
    result = speech.run(values, prepared, recorder)
    return result, {row["metric"]: row for row in result["rows"]}

  return run_config


def test_run_rows_are_of_the_last_and_the_best_epoch(run):
  result, rows = run(config(PAPERS))
  assert rows[speech.VALIDATION]["value"] == 7.5
  assert rows[speech.TEST]["value"] == 8.5 and rows[speech.TEST]["n"] == 2
  assert rows[speech.BEST]["value"] == 7  # 6 and 8.
  assert rows["test NLL (nats), last epoch"]["value"] == 0.5
  assert rows["test ECE (%), last epoch"]["value"] == 2
  assert rows["training error (%), clean"]["value"] == 0
  assert rows["seconds a network"]["value"] == 9
  assert rows[speech.VALIDATION]["paper"] == 5.0
  assert rows[speech.TEST]["paper"] == 4.6
  assert rows[speech.BEST]["paper"] is None
  test, validation = result["curves"]
  assert test["values"] == [[4, 6, 8], [4, 8, 9]]
  assert validation["values"] == [[9, 5, 7], [9, 7, 8]]
  assert not result["failed"] and result["wall_seconds"] == 18
  assert result["spectrograms"] == "shown"


@pytest.mark.parametrize(
  "changes, method",
  [
    ({"epochs": 15}, results.ERM),
    ({"bins": 161}, results.ERM),
    ({"dataset": "speech_commands_subset"}, results.ERM),
    ({"mix": {"plain_first_epochs": 0}}, MIXUP),
    ({}, results.Method("waveform_alpha_0.1", "waveform, alpha 0.1", 0.1)),
    ({}, results.Method("spectrogram_alpha_0.4", "spectrogram, alpha 0.4")),
  ],
)
def test_run_gives_papers_numbers_to_the_papers_setting_alone(
  run, changes, method
):
  result, rows = run(config(PAPERS, **changes), method)
  assert all(row["paper"] is None for row in rows.values())
  assert len(result["not_run"]) == 12


def test_setting_names_overrides(run):
  values = config(PAPERS)
  values.vgg11.width = 8
  assert speech.setting(values, "vgg11").endswith("vgg11 (width 8)")
  assert speech.setting(values, "lenet") == "speech_commands_v0.01, lenet"
  _, rows = run(config(PAPERS), MIXUP)
  assert rows[speech.TEST]["paper"] == 3.4


def test_run_lists_numbers_of_the_paper_that_were_not_run(run):
  assert len(speech.PAPER) == 12
  result, _ = run(config(PAPERS), model="lenet")
  assert len(result["not_run"]) == 10
  result, _ = run(config())
  missing = result["not_run"]
  assert {row["paper"] for row in missing if "lenet" in row["setting"]} == {
    9.8,
    10.3,
    10.1,
    10.8,
    10.2,
    11.3,
  }
