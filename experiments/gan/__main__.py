"""Section 3.7: GANs on Gaussians in the plane, with ERM and with mixup.

    python -m experiments.gan --config=configs/gan.py:smoke
    python -m experiments.gan --workdir=RUN

The seeds of a method play side by side in one compiled program. The same
command with the same working directory goes on where it was stopped.
"""

import functools
import pathlib
from typing import Any, Mapping

from experiments.gan import batches
from experiments.gan import cells
from experiments.gan import game
from experiments.gan import stability
from experiments.gan import table
from mixup_jax import results
from mixup_jax.data import toy
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "gan.py"
PARTS = {"modes": table, "stability": stability}
_KNOWN: dict[str, Mapping[str, Any]] = {
  "datasets": toy.GAUSSIAN_CENTERS,
  "methods": batches.BATCHES,
  "generator_losses": game.GENERATOR_LOSSES,
}
_LOWEST = {
  "seeds": 1,
  "first_seed": 0,
  "long_seeds": 0,
  "iterations": 1,
  "short_iterations": 1,
  "measure_every": 1,
  "num_latents": 1,
  "batch_size": 1,
  "discriminator_steps": 1,
  "num_points": 1,
  "num_shown": 1,
}


def prepare(config: Any) -> list[cells.Cell]:
  """Checks the config, and returns what is to be played."""
  if config.part not in PARTS:
    raise ValueError(
      f"unknown part {config.part!r}: choose one of {', '.join(PARTS)}."
    )
  for name, known in _KNOWN.items():
    for value in config[name]:
      if value not in known:
        raise ValueError(
          f"unknown {value!r} in config.{name}: choose of {', '.join(known)}."
        )
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(
        f"config.{name} must be at least {low}, got {config[name]}."
      )
  if not 0 <= config.alpha <= 1 and "mixup_code" in config.methods:
    raise ValueError(
      "config.alpha must be from 0 to 1, got "
      f"{config.alpha}: mixup_code draws lam from U(0, alpha)."
    )
  if config.alpha < 0 or not config.learning_rate > 0:
    raise ValueError(
      "config.alpha must be at least 0 and config.learning_rate "
      f"above 0, got {config.alpha} and {config.learning_rate}."
    )
  for name in ("iterations", "short_iterations"):
    if config[name] % config.measure_every:
      raise ValueError(
        f"config.{name}={config[name]} is no multiple of "
        f"config.measure_every={config.measure_every}: it ends "
        "with a measurement."
      )
  return PARTS[config.part].cells_of(config)


def run(
  config: Any, prepared: list[cells.Cell], recorder: records.Recorder
) -> results.Result:
  """Plays every game, or goes on with it, and puts the results together."""
  play = functools.partial(cells.play, config, workdir=recorder.workdir)
  done, failed = jobs.run(
    {cell.name: functools.partial(play, cell) for cell in prepared}
  )
  played = [(cell, done[cell.name]) for cell in prepared if cell.name in done]
  result: Any = PARTS[config.part].result(config, prepared, played)
  seconds = sum(
    line["seconds"] + line["train/seconds"]
    for _, outcome in played
    for line in outcome.lines
  )
  result.update(failed=failed, wall_seconds=round(seconds, 2))
  return result


if __name__ == "__main__":
  cli.launch("gan", prepare=prepare, run=run, config_file=CONFIG)
