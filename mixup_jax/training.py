"""Trains a classifier on images in device memory, or goes on where it was."""

import functools
import itertools
import pathlib
import time
from typing import Any, Iterator, Mapping

import jax
import numpy as np
import tqdm

from mixup_jax import checkpoint
from mixup_jax import loop
from mixup_jax import platforms
from mixup_jax import preemption
from mixup_jax import program as programs
from mixup_jax import records
from mixup_jax import sharding
from mixup_jax import state as states
from mixup_jax import steps
from mixup_jax.data import images

Lines = list[dict[str, float]]
Examples = tuple[np.ndarray, np.ndarray]
_KEPT = 2  # Checkpoints: one may be damaged.


def train(
    program: programs.Program,
    data: images.ImageSet,
    *,
    seed: int,
    epochs: int,
    batch_size: int,
    eval_batch_size: int,
    workdir: pathlib.Path,
    config: Mapping[str, Any],
    steps_per_dispatch: int = 0,
    measured: Mapping[str, Examples] | None = None,
    neighbors: np.ndarray | None = None,
) -> Lines:
  """Trains one network, or goes on where it was stopped.

  Args:
    program: The program.
    data: The set, on the host.
    seed: It fixes weights, order of the data, augmentation and mixing.
    epochs: Passes over the training images.
    batch_size: Training images in a batch; the last one of an epoch is smaller.
    eval_batch_size: Images in a batch of an evaluation.
    workdir: Where checkpoints and metrics of this network are.
    config: What made it, written beside them.
    steps_per_dispatch: As in `platforms.steps_per_dispatch`.
    measured: More images and labels to measure after each epoch, by the names
      that their metrics shall have.
    neighbors: `[images, k]` int32: of each training image those rows that its
      partner is drawn from, if not from its batch.

  Returns:
    A line for each epoch: "step" and "epoch", the means "train/loss" and
    "train/error" of its steps, and "test/error", "test/top5_error",
    "test/nll", "test/ece"; the last one has the same of the training images without augmentation and mixing
    as "clean/...". It took "train/seconds" to train, and "seconds" to measure.

  Raises:
    FloatingPointError: If the loss is not finite.
    Stopped: If the process was told to stop; the state is saved.
  """
  mesh = program.mesh
  parts = {
      "train": (data.train_images, data.train_labels),
      "test": (data.test_images, data.test_labels),
      **(measured or {})
  }
  on_device, table, key = sharding.put((parts, neighbors, np.uint32(seed)),
                                       sharding.replicated(mesh))
  steps_per_epoch = -(-len(data.train_labels) // batch_size)
  num_steps = epochs * steps_per_epoch

  with (checkpoint.Checkpoints(workdir / "checkpoints", keep=_KEPT) as
        saved, preemption.Preemption() as preempted):
    # Into shapes alone: only a new run has to compile `init`.
    first_step, state = (saved.restore(state_shapes(program)) or
                         (0, program.init(key)))
    with (records.Recorder(workdir, config=config, first_step=first_step) as
          recorder, _progress(workdir, first_step, num_steps) as progress):
      clock = _Clock()

      def evaluate(state: states.TrainState) -> dict[str, Any]:
        line = _epoch_means(recorder.lines, steps_per_epoch)
        shown = {name: name for name in parts if name != "train"}
        if line["epoch"] == epochs:
          shown["clean"] = "train"
        for name, part in shown.items():
          means = program.evaluate(state, *on_device[part], eval_batch_size)
          line |= {f"{name}/{k}": v for k, v in jax.device_get(means).items()}
        progress.set_postfix_str(f"loss {line['train/loss']:.3f}, test error "
                                 f"{line['test/error']:.2f} %")
        return line

      def on_metrics(done: int, values: Mapping[str, Any]) -> None:
        recorder.metrics(done, {**values, "seconds": clock.seconds()})
        progress.update(done - progress.n)

      loop.fit(state,
               functools.partial(program.step, key),
               batches(program,
                       on_device["train"],
                       seed=seed,
                       batch_size=batch_size,
                       first_step=first_step,
                       at_once=platforms.steps_per_dispatch(steps_per_dispatch),
                       neighbors=table),
               first_step=first_step,
               num_steps=num_steps,
               eval_every=steps_per_epoch,
               evaluate=evaluate,
               on_metrics=on_metrics,
               save=saved.save,
               stop=preempted.reached)
    return [line for line in recorder.lines if "epoch" in line]


def state_shapes(program: programs.Program) -> states.TrainState:
  """Returns the shapes of a program's state, to restore a checkpoint into."""
  where = sharding.replicated(program.mesh)
  return jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=where),
      program.init.trace(jax.ShapeDtypeStruct((), np.uint32)).out_info)


def batches(program: programs.Program,
            examples: tuple[jax.Array, jax.Array],
            *,
            seed: int,
            batch_size: int,
            first_step: int,
            at_once: int,
            neighbors: jax.Array | None = None) -> Iterator[steps.Batch]:
  """Yields the batches of a run, epoch after epoch, from a step on.

  Which rows a step has depends on the seed and the step alone.

  Args:
    program: The program.
    examples: Images and labels, replicated global arrays.
    seed: The seed of the run.
    batch_size: Rows of a step; the last one of an epoch is padded and masked.
    first_step: The number of steps done before.
    at_once: Steps in a batch; fewer at the end of an epoch. 1 gives rows of
      `[batch]`, more give `[steps, batch]`.
    neighbors: As in `train`, a replicated global array.

  Yields:
    Batches as `Program.step` takes them.
  """
  pixels, labels = examples
  whole = {"images": pixels, "labels": labels}
  if neighbors is not None:
    whole["neighbors"] = neighbors
  shard = (_columns if at_once > 1 else sharding.sharded)(program.mesh)
  start = first_step % -(-len(labels) // batch_size)
  for epoch in itertools.count(first_step // -(-len(labels) // batch_size)):
    counters = jax.device_put((np.uint32(seed), np.uint32(epoch)))
    rows, where = jax.device_get(
        program.order(*counters, len(labels), batch_size))
    # Without padding there is nothing to mask, and nothing to pay for it.
    chosen = {"rows": rows} | ({} if where.all() else {"where": where})
    for begin in range(start, len(rows), at_once):
      part = slice(begin, begin + at_once) if at_once > 1 else begin
      part = jax.tree.map(lambda x: x[part], chosen)
      yield whole | sharding.put(part, shard)
    start = 0


def _epoch_means(lines: Lines, steps_per_epoch: int) -> dict[str, Any]:
  """Returns the number of the epoch just ended, its means and its time."""
  done = lines[-1]["step"]
  epoch = [
      line for line in lines[-2 * steps_per_epoch:]
      if "loss" in line and line["step"] > done - steps_per_epoch
  ]
  means = {
      f"train/{name}": float(np.mean([line[name] for line in epoch]))
      for name in ("loss", "error")
  }
  seconds = sum(line["seconds"] for line in epoch)
  return {"epoch": done // steps_per_epoch, "train/seconds": seconds, **means}


def _columns(mesh: sharding.Mesh) -> jax.sharding.NamedSharding:
  """Returns the sharding of `[batches, batch]` arrays."""
  return jax.sharding.NamedSharding(mesh, jax.P(None, sharding.AXIS))


def _progress(workdir: pathlib.Path, first_step: int,
              num_steps: int) -> tqdm.tqdm:
  """Returns the bar of a run, shown by the first process alone."""
  return tqdm.tqdm(total=num_steps,
                   initial=first_step,
                   desc="/".join(workdir.parts[-2:]),
                   unit="step",
                   disable=jax.process_index() > 0)


class _Clock:
  """Tells the seconds since it was asked last."""

  def __init__(self) -> None:
    self._last = time.perf_counter()

  def seconds(self) -> float:
    last, self._last = self._last, time.perf_counter()
    return self._last - last
