"""The two feeds of a program: rows of a set on the devices, or streamed images.

A feed gives the batches of a run from a step on, and those that an epoch is
measured on. Which examples a step has depends on the seed and the step alone.
"""

import functools
import itertools
from typing import Any, Callable, Iterable, Iterator, Mapping, Protocol

import jax
import numpy as np

from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import order
from mixup_jax.train import inputs
from mixup_jax.train import rngs
from mixup_jax.train.step import Batch

Array = jax.Array
Examples = tuple[np.ndarray, np.ndarray]


class Feed(Protocol):
  """What a run needs of its data.

  Attributes:
    steps_per_epoch: The steps of an epoch.
    batch_size: The examples of a step, of all processes.
  """

  @property
  def steps_per_epoch(self) -> int: ...

  @property
  def batch_size(self) -> int: ...

  def train_batches(self, seed: int, first_step: int) -> Iterable[Batch]:
    """Returns the batches of a run, from the step on, as global arrays."""

  def eval_batches(self, is_last: bool) -> Mapping[str, Iterable[Batch]]:
    """Returns what an epoch is measured on, by name; more after the last."""


class Resident:
  """Feeds rows of a set that lies in the memory of every device."""

  def __init__(
    self,
    data: images.ImageSet,
    mesh: sharding.Mesh,
    *,
    batch_size: int,
    eval_batch_size: int,
    steps_per_dispatch: int = 1,
    measured: Mapping[str, Examples] | None = None,
    neighbors: np.ndarray | None = None,
  ):
    """Puts a set on the devices.

    Args:
      data: The set, on the host.
      mesh: The data mesh.
      batch_size: Rows of a step; the last one of an epoch is padded and masked.
      eval_batch_size: Rows at a time in an evaluation.
      steps_per_dispatch: Steps in a batch; fewer at the end of an epoch. 1
        gives rows of `[batch]`, more give `[steps, batch]`.
      measured: More images and labels to measure after each epoch than "test",
        by the names that their metrics have.
      neighbors: `[images, k]` int32: of each training image those rows that its
        partner is drawn from, if not from its batch.
    """
    self._mesh = mesh
    self._sizes = batch_size, eval_batch_size
    self._at_once = steps_per_dispatch
    self._num_train = len(data.train_labels)
    parts = {
      "train": (data.train_images, data.train_labels),
      "test": (data.test_images, data.test_labels),
      **(measured or {}),
    }
    whole = sharding.replicated(mesh)
    self._parts = {
      name: sharding.put(
        {"images": inputs.flat(pixels), "labels": labels}, whole
      )
      for name, (pixels, labels) in parts.items()
    }
    self._neighbors = (
      {} if neighbors is None else {"neighbors": sharding.put(neighbors, whole)}
    )

  @property
  def steps_per_epoch(self) -> int:
    return -(-self._num_train // self._sizes[0])

  @property
  def batch_size(self) -> int:
    return self._sizes[0]

  def train_batches(self, seed: int, first_step: int) -> Iterator[Batch]:
    """Yields "images", "labels" of the whole set, and "rows" of each step.

    Images are `[images, values]`, see `inputs.flat`. A batch has "where" if
    rows are padding. Without, there is nothing to mask, and nothing to pay for
    it.
    """
    whole = {**self._parts["train"], **self._neighbors}
    epoch, start = divmod(first_step, self.steps_per_epoch)
    for number in itertools.count(epoch):
      rows, where = _epoch_rows(seed, number, self._num_train, self._sizes[0])
      chosen = {"rows": rows} | ({} if where.all() else {"where": where})
      for begin in range(start, len(rows), self._at_once):
        end = begin + self._at_once
        part = slice(begin, end) if self._at_once > 1 else begin
        yield {**whole, **self._put({k: x[part] for k, x in chosen.items()})}
      start = 0

  def eval_batches(self, is_last: bool) -> dict[str, list[Batch]]:
    """Returns one batch a part; after the last epoch the training set too."""
    shown = {name: name for name in self._parts if name != "train"}
    if is_last:
      shown["clean"] = "train"
    batches: dict[str, list[Batch]] = {}
    for name, part in shown.items():
      count = len(self._parts[part]["labels"])
      rows, where = _all_rows(count, self._sizes[1])
      chosen = self._put({"rows": rows, "where": where})
      batches[name] = [{**self._parts[part], **chosen}]
    return batches

  def _put(self, rows: Any) -> Any:
    """Places rows of `[batch]` or `[steps, batch]` over the mesh."""
    several = next(iter(rows.values())).ndim == 2
    spec = jax.P(None, sharding.AXIS) if several else jax.P(sharding.AXIS)
    return sharding.put(rows, jax.NamedSharding(self._mesh, spec))


class Streamed:
  """Feeds images that are decoded on the hosts, each its own rows."""

  def __init__(
    self,
    mesh: sharding.Mesh,
    *,
    steps_per_epoch: int,
    batch_size: int,
    train: Callable[[int, int], Iterable[Mapping[str, np.ndarray]]],
    evaluate: Callable[[], Iterable[Mapping[str, np.ndarray]]],
  ):
    """Takes what reads the images.

    Args:
      mesh: The data mesh.
      steps_per_epoch: The steps of an epoch.
      batch_size: The examples of a step, of all processes.
      train: Takes a seed and a number of steps done; returns this process's
        rows of each batch from there.
      evaluate: Returns its rows of the batches that an epoch is measured on,
        with a mask "where" if the last one is padded.
    """
    self._mesh, self._train, self._evaluate = mesh, train, evaluate
    self.steps_per_epoch, self.batch_size = steps_per_epoch, batch_size

  def train_batches(self, seed: int, first_step: int) -> Iterator[Batch]:
    """Yields "images", `[batch, size, size, 3]` uint8, and "labels"."""
    return map(self._put, self._train(seed, first_step))

  def eval_batches(self, is_last: bool) -> dict[str, Iterator[Batch]]:
    """Returns the batches of "validation", put on the devices as they come."""
    del is_last
    return {"validation": map(self._put, self._evaluate())}

  def _put(self, batch: Mapping[str, np.ndarray]) -> Batch:
    return sharding.put_rows(batch, self._mesh)


def _epoch_rows(
  seed: int, epoch: int, num_examples: int, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns the rows of an epoch and their mask, `[steps, batch]` each."""
  numbers = jax.device_put((np.uint32(seed), np.uint32(epoch)))
  return jax.device_get(_draw_rows(*numbers, num_examples, batch_size))


@functools.partial(jax.jit, static_argnums=(2, 3))
def _draw_rows(
  seed: Array, epoch: Array, num_examples: int, batch_size: int
) -> tuple[Array, Array]:
  """Draws the order of an epoch, on one device of each process."""
  key = rngs.stream(jax.random.key(seed), "order", epoch)
  return order.epoch_rows(key, num_examples, batch_size=batch_size)


@functools.cache
def _all_rows(
  num_examples: int, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns all rows in order and their mask, `[batches, batch]` each."""
  rows = functools.partial(
    order.padded_rows, num_examples, batch_size=batch_size
  )
  return jax.device_get(jax.jit(rows)())
