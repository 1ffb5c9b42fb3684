"""Seeds of a game from first iteration to last, measured and resumed."""

import functools
from typing import Any, Mapping, NamedTuple, Sequence

import jax
import numpy as np

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data import toy
from mixup_jax.gan import modes
from mixup_jax.gan.game import make_game
from mixup_jax.gan.program import iteration_numbers
from mixup_jax.gan.program import make_program
from mixup_jax.gan.program import Program
from mixup_jax.gan.program import State
from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import storage
from mixup_jax.train.run import Lines
from mixup_jax.train.run import run as train
from mixup_jax.train.run import state_shapes


class Run(NamedTuple):
  """A game as plain values, and the seeds that play it side by side.

  Attributes:
    dataset: A key of `toy.GAUSSIAN_CENTERS`.
    method: What tables call the next two; its alpha is that of lam.
    batch: A key of `losses.DISCRIMINATOR_BATCHES`.
    generator_loss: A key of `losses.GENERATOR_LOSSES`.
    hidden: The widths of the hidden layers of either network.
    learning_rate: Of either optimizer.
    seeds: A range of step 1.
    iterations: The length of the run.
  """

  dataset: str
  method: results.Method
  batch: str
  generator_loss: str
  hidden: tuple[int, ...]
  learning_rate: float
  seeds: range
  iterations: int

  @property
  def name(self) -> str:
    """The directory of the run, below that of the section."""
    size = f"width_{self.hidden[0]}_rate_{self.learning_rate:g}"
    seeds = f"seeds_{self.seeds[0]}_to_{self.seeds[-1]}"
    return f"{self.dataset}/{self.method.key}/{size}/{seeds}"


class Outcome(NamedTuple):
  """What the seeds of a run leave.

  Attributes:
    seeds: The seeds.
    lines: One a measurement, as `train.run.run` returns them: a metric of
      `modes.METRICS` is a mean over the seeds, "METRIC/seed_N" is of one seed.
    shown: `[seeds, snapshots, points, 2]`.
  """

  seeds: range
  lines: Lines
  shown: np.ndarray

  def values(self, metric: str, iteration: int) -> list[float]:
    """Returns a metric of each seed after an iteration that was measured."""
    (line,) = (line for line in self.lines if line["step"] == iteration)
    return [line[_of_seed(metric, seed)] for seed in self.seeds]

  def seconds(self) -> float:
    """Returns the time of all processes that trained and measured."""
    return sum(line["seconds"] + line["train/seconds"] for line in self.lines)


def play(
  run: Run,
  *,
  measure_every: int,
  num_points: int,
  snapshots: Sequence[int],
  num_shown: int,
  workdir: storage.Path,
  config: Mapping[str, Any],
  **sizes: int,
) -> Outcome:
  """Plays all seeds of a run at once, or resumes from the latest checkpoint.

  Args:
    run: The run.
    measure_every: Iterations between measurements, each followed by a save;
      the iterations of the run are a multiple of it.
    num_points: The number of points that are measured.
    snapshots: The iterations after which points are kept.
    num_shown: The number of points in a snapshot.
    workdir: The directory of the section.
    config: Plain values, written beside the metrics of the run.
    **sizes: `batch_size`, `discriminator_steps` and `num_latents` of the game.

  Returns:
    The outcome.

  Raises:
    FloatingPointError: If a loss is not finite.
    OSError: If the run is complete, but its checkpoints are missing.
    Stopped: If the process was asked to stop; the state is saved.
  """
  workdir = workdir / run.name
  program = make_program(
    make_game(
      run.dataset,
      batch=run.batch,
      alpha=run.method.alpha,
      generator_loss=run.generator_loss,
      hidden=run.hidden,
      learning_rate=run.learning_rate,
      **sizes,
    ),
    num_seeds=len(run.seeds),
    snapshots=snapshots,
    num_shown=num_shown,
    num_points=num_points,
    mesh=sharding.make_mesh(),
  )
  lines = train(
    program,
    seed=run.seeds.start,
    epochs=run.iterations // measure_every,
    steps_per_epoch=measure_every,
    batches=functools.partial(
      iteration_numbers, program.mesh, every=measure_every
    ),
    measure=functools.partial(_measure, program, run),
    workdir=workdir,
    config=config,
  )
  with checkpoint.Checkpoints(workdir / "checkpoints") as saved:
    restored = saved.restore(state_shapes(program))
  if restored is None:
    raise OSError(
      f"{workdir} has lost its checkpoints: delete it, and give the same "
      "command."
    )
  return Outcome(run.seeds, lines, jax.device_get(restored[1].shown))


def _measure(
  program: Program, run: Run, state: State, is_last: bool
) -> dict[str, float]:
  """Returns each metric of `modes`, as a mean and of each seed."""
  del is_last
  seed = sharding.put(
    np.uint32(run.seeds.start), sharding.replicated(program.mesh)
  )
  points = jax.device_get(program.sample(seed, state))
  centers = toy.GAUSSIAN_CENTERS[run.dataset]
  values = np.array([modes.measure(each, centers) for each in points])
  means = dict(zip(modes.METRICS, values.mean(0).tolist()))
  return means | {
    _of_seed(metric, number): float(value)
    for number, line in zip(run.seeds, values)
    for metric, value in zip(modes.METRICS, line)
  }


def _of_seed(metric: str, seed: int) -> str:
  """Returns the name of a metric of one seed in a line."""
  return f"{metric}/seed_{seed}"
