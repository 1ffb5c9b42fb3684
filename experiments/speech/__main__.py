"""Section 3.3, Figure 4: ERM and mixup on spoken words.

    python -m experiments.speech
    python -m experiments.speech --workdir=DIR \
        --config=configs/speech.py:dataset=speech_commands_v0.01,model=vgg11

The waveforms lie in device memory; a step makes spectrograms of them, before
or after they are mixed. Each network has a directory of its own below the
working directory; the same command goes on where it was stopped.
"""

import functools
import pathlib
from typing import Any, Callable, NamedTuple

from experiments.speech import programs
from experiments.speech import sample
from experiments.speech import table
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data.in_memory import audio
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import in_memory
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs
from mixup_jax.train import backend
from mixup_jax.train import program
from mixup_jax.train import run as runs

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "speech.py"
_LOWEST = {
  "seeds": 1,
  "first_seed": 0,
  "epochs": 1,
  "plain_epochs": 0,
  "decay_every": 1,
  "batch_size": 2,
  "eval_batch_size": 1,
}
Cell = tuple[str, str]  # A model and a method.


class Prepared(NamedTuple):
  """What a run needs, checked."""

  data: audio.ClipSet
  programs: dict[Cell, Callable[[], program.Program]]


def methods(config: Any) -> dict[str, tuple[str, float]]:
  """Returns the level and the alpha of each method, 0 for ERM."""
  for alpha in config.alphas:
    transforms.check_alpha(alpha)
    if not alpha:
      raise ValueError("config.alphas has 0, which is ERM: it comes with them.")
  return {"ERM": ("spectrogram", 0.0)} | {
    f"{level}, alpha {alpha:g}": (level, alpha)
    for level in config.levels
    for alpha in config.alphas
  }


def check(config: Any) -> None:
  """Raises a ValueError for a value that is out of its range."""
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(
        f"config.{name} must be at least {low}, got {config[name]}."
      )
  backend.steps_per_dispatch(config.steps_per_dispatch)
  size = sharding.make_mesh().size
  for name in ("batch_size", "eval_batch_size"):
    if config[name] % size:
      raise ValueError(
        f"config.{name}={config[name]} cannot be shared by "
        f"{size} devices: use a multiple of {size}."
      )


def as_images(data: audio.ClipSet) -> images.ImageSet:
  """Returns clips under the names by which training knows examples."""
  return images.ImageSet(
    data.name,
    *data.train,
    *data.test,
    len(data.words),
    mean=(),
    std=(),
    pad=0,
    flip=False,
  )


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program for each cell."""
  known = methods(config)
  check(config)
  data = audio.load(config.dataset, config.data_dir or None)
  made: dict[Cell, Callable[[], program.Program]] = {}
  for model in config.models:
    for method, (level, alpha) in known.items():
      make = functools.partial(
        programs.make_program,
        config,
        as_images(data),
        model=model,
        level=level,
        alpha=alpha,
      )
      runs.state_shapes(make())  # What cannot be built is told now.
      made[model, method] = make
  return Prepared(data, made)


def train(
  config: Any, prepared: Prepared, cell: Cell, workdir: pathlib.Path
) -> list[runs.Lines]:
  """Trains the networks of a cell, or goes on where it was stopped."""
  compiled = prepared.programs[cell]()
  model, method = cell
  folder = workdir / model / method.replace(", ", "_").replace(" ", "_")
  return [
    in_memory.train(
      config,
      compiled,
      as_images(prepared.data),
      seed=seed,
      workdir=folder / f"seed_{seed}",
      measured={"validation": prepared.data.validation},
    )
    for seed in in_memory.seeds(config)
  ]


def run(
  config: Any, prepared: Prepared, recorder: records.Recorder
) -> results.Result:
  """Trains every network; returns rows, curves, and what mixing looks like."""
  by_name = {", ".join(cell): cell for cell in prepared.programs}
  done, failed = jobs.run(
    {
      name: functools.partial(train, config, prepared, cell, recorder.workdir)
      for name, cell in by_name.items()
    }
  )
  trained = {by_name[name]: lines for name, lines in done.items()}
  rows = sum(
    (
      table.result_rows(config, *cell, lines) for cell, lines in trained.items()
    ),
    [],
  )
  found = {(row["setting"], row["method"]) for row in rows}
  rows += [
    row
    for row in table.paper_rows()
    if (row["setting"], row["method"]) not in found
  ]
  return {
    "rows": rows,
    "layout": table.LAYOUT,
    "curves": sum(
      (table.curves(config, *cell, lines) for cell, lines in trained.items()),
      [],
    ),
    "spectrograms": sample.make(config, prepared.data),
    "failed": failed,
    "wall_seconds": round(
      sum(
        in_memory.seconds(lines)
        for every in trained.values()
        for lines in every
      ),
      2,
    ),
  }


if __name__ == "__main__":
  cli.launch("speech", prepare=prepare, run=run, config_file=CONFIG)
