"""Trains a classifier on images in device memory, or goes on where it was."""

import itertools
import pathlib
from typing import Any, Iterator, Mapping

import jax
import numpy as np

from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.train import backend
from mixup_jax.train import program as programs
from mixup_jax.train import run as runs
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Lines = runs.Lines
Examples = tuple[np.ndarray, np.ndarray]


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
    A line for each epoch, as `runs.run`: of the test images "test/error",
    "test/top5_error", "test/nll" and "test/ece"; in the last one, "clean/..."
    is the same of the training images, without augmentation and mixing.

  Raises:
    FloatingPointError: If the loss is not finite.
    Stopped: If the process was told to stop; the state is saved.
  """
  mesh = program.mesh
  parts = {
    "train": (data.train_images, data.train_labels),
    "test": (data.test_images, data.test_labels),
    **(measured or {}),
  }
  on_device, table = sharding.put((parts, neighbors), sharding.replicated(mesh))

  def batches_from(first_step: int) -> Iterator[steps.Batch]:
    return batches(
      program,
      on_device["train"],
      seed=seed,
      batch_size=batch_size,
      first_step=first_step,
      at_once=backend.steps_per_dispatch(steps_per_dispatch),
      neighbors=table,
    )

  def measure(state: states.TrainState, is_last: bool) -> dict[str, Any]:
    shown = {name: name for name in parts if name != "train"}
    if is_last:
      shown["clean"] = "train"
    values = {
      name: program.evaluate(state, *on_device[part], eval_batch_size)
      for name, part in shown.items()
    }
    means = jax.device_get(values)  # In another order.
    return {
      f"{name}/{metric}": value
      for name in shown
      for metric, value in means[name].items()
    }

  return runs.run(
    program,
    seed=seed,
    epochs=epochs,
    steps_per_epoch=-(-len(data.train_labels) // batch_size),
    batches=batches_from,
    measure=measure,
    workdir=workdir,
    config=config,
  )


def batches(
  program: programs.Program,
  examples: tuple[jax.Array, jax.Array],
  *,
  seed: int,
  batch_size: int,
  first_step: int,
  at_once: int,
  neighbors: jax.Array | None = None,
) -> Iterator[steps.Batch]:
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
      program.order(*counters, len(labels), batch_size)
    )
    # Without padding there is nothing to mask, and nothing to pay for it.
    chosen = {"rows": rows} | ({} if where.all() else {"where": where})
    for begin in range(start, len(rows), at_once):
      part = slice(begin, begin + at_once) if at_once > 1 else begin
      part = jax.tree.map(lambda x: x[part], chosen)
      yield whole | sharding.put(part, shard)
    start = 0


def _columns(mesh: sharding.Mesh) -> jax.sharding.NamedSharding:
  """Returns the sharding of `[batches, batch]` arrays."""
  return jax.sharding.NamedSharding(mesh, jax.P(None, sharding.AXIS))
