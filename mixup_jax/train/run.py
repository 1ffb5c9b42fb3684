"""One network from its first step to its last, or from its checkpoint."""

import functools
import itertools
import time
from typing import Any, Callable, Iterable, Mapping, Protocol

import jax
import numpy as np

from mixup_jax import sharding
from mixup_jax.results import metric_lines
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import preemption
from mixup_jax.runtime import storage
from mixup_jax.train import cadence
from mixup_jax.train import feeds
from mixup_jax.train import goodput
from mixup_jax.train import loop
from mixup_jax.train import progress
from mixup_jax.train import state as states
from mixup_jax.train import step as steps
from mixup_jax.train import tracing

Lines = metric_lines.Lines
SAVE_EVERY = 300.0  # Seconds: what a lost process costs at most.
_LAST = 10  # Epochs: the paper, section 3.8, takes the median of these.
_KEPT = 2  # Checkpoints: one may be damaged.
_CRC32 = "metrics_crc32"  # In the note of a checkpoint.


class Program(Protocol):
  """What a run needs of compiled functions: these three, and the mesh.

  Attributes:
    init: Makes the first state from a seed, `[]` uint32.
    step: Takes a seed, a state, which it consumes, and a batch, of one step or
      of several; returns the next state and metrics.
    mesh: The data mesh.
  """

  @property
  def init(self) -> jax.stages.Wrapped: ...

  @property
  def step(self) -> jax.stages.Wrapped: ...

  @property
  def mesh(self) -> sharding.Mesh: ...


def train(
  program: Any,
  feed: feeds.Feed,
  *,
  seed: int,
  epochs: int,
  eval_every: int = 1,
  save_every: float = SAVE_EVERY,
  workdir: storage.Path,
  config: Mapping[str, Any],
) -> Lines:
  """Trains a classifier, or resumes from its latest checkpoint.

  Args:
    program: A `program.Program`.
    feed: What gives it batches.
    seed: It fixes weights, order of the data, augmentation and mixing.
    epochs: Passes over the training examples.
    eval_every: As in `run`.
    save_every: As in `run`.
    workdir: Where checkpoints and metrics of this network are.
    config: What made it, written beside them.

  Returns:
    A line for each measured epoch, as of `run`: "NAME/METRIC" is the mean of a
    metric of `metrics.Sums` over the examples that the feed evaluates as NAME.

  Raises:
    FloatingPointError: If the loss is not finite.
    Stopped: If the process was asked to stop; the state is saved.
  """

  def measure(state: states.TrainState, is_last: bool) -> dict[str, float]:
    means: dict[str, float] = {}
    for name, batches in feed.eval_batches(is_last).items():
      # One after another: no more than a batch is on the devices.
      sums = [jax.device_get(program.evaluate(state, x)) for x in batches]
      total = jax.tree.map(lambda *x: np.sum(x, axis=0), *sums)
      means |= {f"{name}/{k}": float(v) for k, v in total.means().items()}
    return means

  return run(
    program,
    seed=seed,
    epochs=epochs,
    eval_every=eval_every,
    save_every=save_every,
    steps_per_epoch=feed.steps_per_epoch,
    batch_size=feed.batch_size,
    batches=functools.partial(feed.train_batches, seed),
    measure=measure,
    workdir=workdir,
    config=config,
  )


def run(
  program: Program,
  *,
  seed: int,
  epochs: int,
  eval_every: int = 1,
  save_every: float = SAVE_EVERY,
  steps_per_epoch: int,
  batch_size: int = 0,
  batches: Callable[[int], Iterable[steps.Batch]],
  measure: Callable[[states.TrainState, bool], Mapping[str, float]],
  workdir: storage.Path,
  config: Mapping[str, Any],
) -> Lines:
  """Trains one network, or resumes from its latest checkpoint.

  Args:
    program: The program.
    seed: It fixes weights, augmentation and mixing.
    epochs: Passes over the training examples.
    eval_every: Epochs between those after which the network is measured. Each
      of the last ten is, of which the paper takes the median.
    save_every: Seconds between checkpoints, whether or not an epoch is over; 0
      saves each time that the network is measured. There is one at the end, and
      when the process is asked to stop.
    steps_per_epoch: The steps of an epoch.
    batch_size: The examples of a step, for the speed that is shown.
    batches: Takes the number of steps done; returns the batches from there.
    measure: Takes the state, and whether this epoch is the last, and returns
      numbers of the host.
    workdir: Where checkpoints and metrics of this network are.
    config: What made it, written beside them.

  Returns:
    A line for each measured epoch: "step" and "epoch", the means "train/NAME"
    of the metrics of its steps, and what `measure` returned. It took "seconds"
    to measure, and the steps since the line before took "train/seconds".

  Raises:
    FloatingPointError: If the loss is not finite.
    OSError: If what it resumes from cannot be read, or does not fit together.
    Stopped: If the process was asked to stop; the state is saved.
  """
  preemption.check()  # For a notice of earlier work, such as another network.
  key = sharding.put(np.uint32(seed), sharding.replicated(program.mesh))
  num_steps = epochs * steps_per_epoch
  eval_steps = {
    epoch * steps_per_epoch
    for epoch in range(1, epochs + 1)
    if epoch % eval_every == 0 or epoch > epochs - _LAST
  }
  with (
    checkpoint.Checkpoints(workdir / "checkpoints", keep=_KEPT) as saved,
    preemption.noticed(),
  ):
    # Into shapes alone: only a new run has to compile `init`.
    first_step, state = saved.restore(state_shapes(program)) or (
      0,
      program.init(key),
    )
    note = saved.note(first_step) if first_step else {}
    lines = metric_lines.read(
      workdir / metric_lines.FILE,
      step=first_step,
      eval_steps=eval_steps,
      crc32=note.get(_CRC32),
    )
    with (
      Recorder(
        workdir, config=config, lines=lines, of_networks=True
      ) as recorder,
      progress.Progress(
        "/".join(workdir.parts[-2:]),
        first_step=first_step,
        num_steps=num_steps,
        batch_size=batch_size,
      ) as shown,
    ):
      clock = _Clock()
      saves = cadence.Cadence(save_every, first_step=first_step)

      def evaluate(state: states.TrainState) -> dict[str, Any]:
        line = _epoch_means(recorder.lines, steps_per_epoch)
        with goodput.timed("evaluation"):
          measured = measure(state, line["epoch"] == epochs)
        shown.measured(line["train/loss"], measured)
        return {**line, **measured}

      def on_metrics(done: int, values: Mapping[str, Any]) -> None:
        recorder.metrics(done, {**values, "seconds": clock.seconds()})
        shown.step(done, values)

      def save(done: int, state: states.TrainState) -> None:
        with goodput.timed("checkpoints"):
          recorder.sync()
          saved.save(done, state, note={_CRC32: recorder.crc32})
        saves.saved(done)

      counted = shown.counting(program.step)
      step = goodput.compiled(functools.partial(counted, key))
      with goodput.timed("steps"):
        loop.fit(
          state,
          tracing.traced(step),
          shown.waiting(batches(first_step)),
          first_step=first_step,
          num_steps=num_steps,
          eval_steps=eval_steps,
          evaluate=evaluate,
          on_metrics=on_metrics,
          save=save,
          save_due=saves.due if save_every else None,
          stop=preemption.reached,
        )
    return [line for line in recorder.lines if "epoch" in line]


def state_shapes(program: Program) -> states.TrainState:
  """Returns the shapes of a program's state, to restore a checkpoint into."""
  where = sharding.replicated(program.mesh)
  return jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=where),
    program.init.trace(jax.ShapeDtypeStruct((), np.uint32)).out_info,
  )


def _epoch_means(lines: Lines, steps_per_epoch: int) -> dict[str, Any]:
  """Returns the number of the epoch just ended, its means and its time."""
  done = lines[-1]["step"]
  epoch = [
    line
    for line in lines[-2 * steps_per_epoch :]
    if "loss" in line and line["step"] > done - steps_per_epoch
  ]
  means = {
    f"train/{name}": float(np.mean([line[name] for line in epoch]))
    for name in epoch[0]
    if name not in ("step", "seconds")
  }
  since = itertools.takewhile(lambda x: "epoch" not in x, reversed(lines))
  seconds = sum(line["seconds"] for line in since)
  return {"epoch": done // steps_per_epoch, "train/seconds": seconds, **means}


class _Clock:
  """Returns the seconds since it was asked last."""

  def __init__(self) -> None:
    self._last = time.perf_counter()

  def seconds(self) -> float:
    last, self._last = self._last, time.perf_counter()
    return self._last - last
