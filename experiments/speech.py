"""Section 3.3, Figure 4: ERM and mixup on spoken words.

    python -m experiments.speech
    python -m experiments.speech --workdir=DIR \
        --config=configs/speech.py:dataset=speech_commands_v0.01,model=vgg11

Each network has a directory of its own below the working directory; the same
command resumes from the latest checkpoint.
"""

import functools
import pathlib
from typing import Any, Callable, NamedTuple

from configs import speech as configs
from mixup_jax import results
from mixup_jax.data.in_memory import audio as audio_data
from mixup_jax.recipes import audio
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import mixing
from mixup_jax.recipes import protocol
from mixup_jax.recipes import summary
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs
from mixup_jax.train.program import Program
from mixup_jax.train.run import Lines

CONFIG = pathlib.Path(configs.__file__)

VALIDATION = "validation error (%), last epoch"
TEST = "test error (%), last epoch"
BEST = "test error (%), epoch of the lowest validation error"
# Validation and test error in per cent: Zhang et al., ICLR 2018, Figure 4. It
# mixed spectrograms, and does not state which epoch they are of.
FIGURE_4 = {
  ("lenet", "ERM"): (9.8, 10.3),
  ("lenet", "spectrogram, alpha 0.1"): (10.1, 10.8),
  ("lenet", "spectrogram, alpha 0.2"): (10.2, 11.3),
  ("vgg11", "ERM"): (5.0, 4.6),
  ("vgg11", "spectrogram, alpha 0.1"): (4.0, 3.8),
  ("vgg11", "spectrogram, alpha 0.2"): (3.9, 3.4),
}
PAPER = [
  results.PaperNumber(f"speech_commands_v0.01, {model}", method, metric, error)
  for (model, method), errors in FIGURE_4.items()
  for metric, error in zip((VALIDATION, TEST), errors)
]


def error_of_best_epoch(lines: Lines) -> float:
  """Returns the test error of the epoch that validation clips choose."""
  best = min(lines, key=lambda line: line["validation/error"])
  return best["test/error"]


METRICS = {
  VALIDATION: summary.last("validation/error"),
  TEST: summary.last("test/error"),
  BEST: error_of_best_epoch,
  "test NLL (nats), last epoch": summary.last("test/nll"),
  "test ECE (%), last epoch": summary.last("test/ece"),
  "training error (%), clean": summary.last("clean/error"),
}
LAYOUT = results.Layout(
  lines="metric", columns="method", metrics=[VALIDATION, TEST, BEST]
)
CURVES = {
  "test error (%)": "test/error",
  "validation error (%)": "validation/error",
}


class Network(NamedTuple):
  """A network of the table."""

  model: str
  method: results.Method


class Prepared(NamedTuple):
  """Validated inputs of `run`."""

  data: audio_data.ClipSet
  make_programs: dict[Network, Callable[[], Program]]


def methods(config: Any) -> dict[results.Method, tuple[str, Any]]:
  """Returns where each method mixes, and how: ERM, and each level and alpha."""
  found: dict[results.Method, tuple[str, Any]] = {
    results.ERM: ("spectrogram", None)
  }
  for level in config.levels:
    for alpha in config.alphas:
      mix = mixing.changed(config.mix, alpha=alpha)
      own = mixing.check(mix)
      text = own.label.removeprefix("mixup, ")
      key = f"{level}_{text.replace(', ', '_').replace(' ', '_')}"
      # Without alpha of its own, a transform is one method for all alphas.
      found[results.Method(key, f"{level}, {text}", own.alpha)] = level, mix
  return found


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program a network."""
  known = methods(config)
  in_memory.check(config)
  data = audio_data.load(config.dataset, config.data_dir or None)
  made: dict[Network, Callable[[], Program]] = {}
  for model in config.models:
    for method, (level, mix) in known.items():
      make = functools.partial(
        audio.make_program,
        config,
        audio.as_images(data),
        model=model,
        level=level,
        mix=mix,
      )
      make()  # What cannot be built is reported now.
      made[Network(model, method)] = make
  return Prepared(data, made)


def setting(config: Any, model: str) -> str:
  """Names set and network, and overrides relative to the paper's config."""
  paper = configs.get_config("dataset=speech_commands_v0.01")
  both = [{**values, "model": values[model]} for values in (config, paper)]
  named = {"models", "levels", "alphas"}
  named |= {f"{x}.{size}" for x in configs.MODELS for size in paper[x]}
  if config.dataset == "tones":  # Which the paper did not run.
    named |= {"decay_every", "mix.plain_first_epochs"}
  return protocol.setting(f"{config.dataset}, {model}", *both, named=named)


def run(config: Any, prepared: Prepared, recorder: Recorder) -> results.Result:
  """Trains every network; returns rows, curves, and what mixing looks like."""
  data = prepared.data

  def train(network: Network) -> list[Lines]:
    program = prepared.make_programs[network]()
    folder = recorder.workdir / network.model / network.method.key
    return [
      in_memory.train(
        config,
        program,
        audio.as_images(data),
        seed=seed,
        workdir=folder / f"seed_{seed}",
        measured={"validation": data.validation},
      )
      for seed in in_memory.seeds(config)
    ]

  trained, failed = jobs.run(
    {
      network: functools.partial(train, network)
      for network in prepared.make_programs
    },
    name=lambda network: f"{network.model}, {network.method.label}",
  )
  table = summary.tabulate(
    (
      (setting(config, model), method, lines)
      for (model, method), lines in trained.items()
    ),
    metrics=METRICS,
    curve_keys=CURVES,
    paper=PAPER,
    epochs=config.epochs,
  )
  return {
    **table,
    "layout": LAYOUT,
    "spectrograms": audio.mixed_spectrograms(config, data),
    "failed": failed,
  }


if __name__ == "__main__":
  cli.launch(
    "speech", prepare=prepare, run=run, config_file=CONFIG, of_networks=True
  )
