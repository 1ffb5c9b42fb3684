"""Games to be played: on what, how, with which seeds and for how long."""

import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.gan import batches
from experiments.gan import game
from experiments.gan import program as programs
from mixup_jax import models
from mixup_jax import sharding
from mixup_jax.data import toy
from mixup_jax.gan import modes
from mixup_jax.runtime import checkpoint
from mixup_jax.train import optim
from mixup_jax.train import run as runs

PAPER_WIDTH = 512  # Zhang et al., ICLR 2018, section 3.7.


class Cell(NamedTuple):
  """A game, and the range of seeds that play it side by side."""

  dataset: str
  method: str
  generator_loss: str
  hidden: tuple[int, ...]
  learning_rate: float
  first_seed: int
  num_seeds: int
  iterations: int

  @property
  def name(self) -> str:
    """Where it is below the directory of the run."""
    last = self.first_seed + self.num_seeds - 1
    return "/".join(
      (
        self.dataset,
        self.method,
        self.generator_loss,
        f"width_{self.hidden[0]}_rate_{self.learning_rate:g}",
        f"seeds_{self.first_seed}_to_{last}",
      )
    )

  @property
  def seeds(self) -> range:
    return range(self.first_seed, self.first_seed + self.num_seeds)


class Outcome(NamedTuple):
  """What came out: the lines of the run, and the snapshots.

  Attributes:
    lines: As `runs.run` returns them; "METRIC/seed_N" is of one seed.
    shown: `[seeds, snapshots, points, 2]`.
  """

  lines: runs.Lines
  shown: np.ndarray


def describe(config: Any, cell: Cell) -> str:
  """Names the method of a game."""
  text = {
    "erm": "ERM",
    "mixup": f"mixup, alpha {config.alpha:g}",
    "mixup_code": f"mixup as in the code, U(0, {config.alpha:g})",
  }[cell.method]
  plain = cell.generator_loss == "saturating"
  return text if plain else f"{text}, non-saturating"


def setting(cell: Cell, iteration: int) -> str:
  """Names the data, a width that is not the paper's, and the iterations."""
  width = cell.hidden[0]
  narrow = "" if width == PAPER_WIDTH else f", width {width}"
  return f"{cell.dataset}{narrow}, after {iteration:,} iterations"


def rules(config: Any, cell: Cell) -> game.Rules:
  """Returns the rules of a game."""
  centers = toy.GAUSSIAN_CENTERS[cell.dataset]

  def network(outputs: int) -> Any:
    return models.build("mlp", num_classes=outputs, hidden=cell.hidden)

  return game.Rules(
    generator=network(centers.shape[-1]),
    discriminator=network(1),
    tx=optim.build("adam", learning_rate=cell.learning_rate),
    draw=lambda key, count: toy.sample_gaussians(key, centers, count),
    batch=batches.BATCHES[cell.method],
    alpha=config.alpha,
    generator_loss=game.GENERATOR_LOSSES[cell.generator_loss],
    batch_size=config.batch_size,
    discriminator_steps=config.discriminator_steps,
    num_latents=config.num_latents,
  )


def play(config: Any, cell: Cell, *, workdir: pathlib.Path) -> Outcome:
  """Plays a game to its end, or goes on with it.

  Args:
    config: The config.
    cell: The game.
    workdir: The directory of the run.

  Returns:
    Its outcome.

  Raises:
    FloatingPointError: If a loss is not finite.
    Stopped: If the process was told to stop; the state is saved.
  """
  program = programs.make_program(
    rules(config, cell),
    num_seeds=cell.num_seeds,
    snapshots=config.snapshots,
    num_shown=config.num_shown,
    num_points=config.num_points,
    mesh=sharding.make_mesh(),
  )
  seed = sharding.put(
    np.uint32(cell.first_seed), sharding.replicated(program.mesh)
  )

  def measure(state: Any, is_last: bool) -> dict[str, float]:
    del is_last
    points = jax.device_get(program.sample(seed, state))
    centers = toy.GAUSSIAN_CENTERS[cell.dataset]
    values = np.array([modes.measure(each, centers) for each in points])
    means = dict(zip(modes.METRICS, values.mean(0).tolist()))
    return means | {
      f"{metric}/seed_{number}": float(value)
      for number, line in zip(cell.seeds, values)
      for metric, value in zip(modes.METRICS, line)
    }

  lines = runs.run(
    program,
    seed=cell.first_seed,
    epochs=cell.iterations // config.measure_every,
    steps_per_epoch=config.measure_every,
    batches=lambda first: programs.numbers(
      program, first, config.measure_every
    ),
    measure=measure,
    workdir=workdir / cell.name,
    config=config.to_dict(),
  )
  with checkpoint.Checkpoints(workdir / cell.name / "checkpoints") as saved:
    restored = saved.restore(runs.state_shapes(program))
  if restored is None:
    raise OSError(
      f"{workdir / cell.name} has lost its checkpoints: delete it, "
      "and give the same command."
    )
  return Outcome(lines, jax.device_get(restored[1].shown))
