"""Batches of sets too large for memory, decoded as they are needed.

The batch of a step is a function of seed and step alone, and each host decodes
its own contiguous block of rows of it: a run resumes exactly, with any number
of hosts and of workers. For that, examples are read one by one from anywhere in
the set; a host that read only record files of its own, one after the other,
would read faster, but never mix what lies in different files.
"""

import itertools
import os
from typing import Iterable, Iterator

import numpy as np

from mixup_jax.data.streaming import decode
from mixup_jax.data.streaming import order as stream_order
from mixup_jax.data.streaming import prefetch
from mixup_jax.data.streaming import reader as stream_examples
from mixup_jax.data.streaming.datasets import load
from mixup_jax.data.streaming.datasets import StreamSet

__all__ = ["StreamSet", "eval_batches", "load", "train_batches"]
Batch = dict[str, np.ndarray]


def train_batches(
  stream_set: StreamSet,
  *,
  seed: int,
  first_step: int = 0,
  batch_size: int,
  image_size: int,
  process_index: int = 0,
  num_processes: int = 1,
  workers: int | None = None,
  max_bad_share: float = 0.001,
  bad: dict[str, str] | None = None,
) -> Iterator[Batch]:
  """Yields this host's rows of every batch from a step on, for ever.

  Every epoch has a new order, and leaves out the examples that fill no whole
  batch. An image that cannot be read, or whose label is no class, is named on
  stderr, and the next one in the order that can be read takes its place.

  Args:
    stream_set: The set.
    seed: Decides every order, crop and flip.
    first_step: The number of batches that were taken before.
    batch_size: Rows of a batch over all hosts.
    image_size: Height and width of the crops.
    process_index: The number of this host.
    num_processes: The number of hosts, a divisor of `batch_size`.
    workers: Threads that decode; 0 decodes when a batch is asked for, and None
      is one for each core.
    max_bad_share: The share of the set that may be bad, five images anyway.
    bad: Gets the name of each bad image, and what is wrong with it. Those that
      are in it are not named again.

  Returns:
    An iterator of "images", `[rows, size, size, 3]` uint8 RGB, and "labels",
    `[rows]` int32. It raises RuntimeError at too many bad images.

  Raises:
    ValueError: If sizes or numbers do not fit.
  """
  reader = stream_examples.make_reader(stream_set, "train", max_bad_share)
  block = stream_order.local_rows(batch_size, process_index, num_processes)
  num_examples = len(reader.source)
  steps = num_examples // batch_size
  if not steps:
    raise ValueError(
      f"a batch of {batch_size} is larger than the "
      f"{num_examples} images of {stream_set.name} to train on: "
      "take a smaller batch_size."
    )
  if seed < 0 or first_step < 0:
    raise ValueError(
      f"seed {seed} or first_step {first_step} is negative: both count from 0."
    )

  def fill(step: int, rows: range, batch: Batch) -> dict[str, str]:
    epoch, index = divmod(step, steps)
    order = stream_order.epoch_order(num_examples, seed, epoch)
    first = index * batch_size + block.start
    positions = range(first + rows.start, first + rows.stop)
    bad: dict[str, str] = {}
    for row, position, draws in zip(
      rows, positions, stream_order.draws(seed, epoch, positions)
    ):
      image, batch["labels"][row] = reader.read_from(order, position, bad)
      batch["images"][row] = decode.train_image(image, draws, size=image_size)
    return bad

  filled = prefetch.filled(
    itertools.count(first_step),
    lambda: _empty(len(block), image_size),
    fill,
    rows=len(block),
    workers=_threads(workers),
  )
  return _accounted(filled, reader, {} if bad is None else bad)


def eval_batches(
  stream_set: StreamSet,
  *,
  batch_size: int,
  image_size: int,
  process_index: int = 0,
  num_processes: int = 1,
  workers: int | None = None,
  max_bad_share: float = 0.001,
  bad: dict[str, str] | None = None,
) -> Iterator[Batch]:
  """Yields this host's rows of the batches of the validation images, in order.

  Each image comes once over all hosts, except those that cannot be read: they
  are named on stderr, and masked like the padding of the last batch.

  Args:
    stream_set: The set.
    batch_size: Rows of a batch over all hosts.
    image_size: Height and width of the central crops.
    process_index: The number of this host.
    num_processes: The number of hosts, a divisor of `batch_size`.
    workers: As in `train_batches`.
    max_bad_share: As in `train_batches`.
    bad: As in `train_batches`.

  Returns:
    An iterator of "images" and "labels" as in `train_batches`, and "where",
    `[rows]` booleans that are False for what does not count. Every host gets
    as many batches.

  Raises:
    ValueError: If sizes or numbers do not fit.
  """
  reader = stream_examples.make_reader(stream_set, "validation", max_bad_share)
  block = stream_order.local_rows(batch_size, process_index, num_processes)
  num_examples = len(reader.source)

  def fill(step: int, rows: range, batch: Batch) -> dict[str, str]:
    bad: dict[str, str] = {}
    for row in rows:
      position = step * batch_size + block[row]
      found = reader.read(position, bad) if position < num_examples else None
      if found is not None:
        image, batch["labels"][row] = found
        batch["images"][row] = decode.eval_image(image, size=image_size)
        batch["where"][row] = True
    return bad

  def make() -> Batch:
    return {
      **_empty(len(block), image_size),
      "where": np.zeros(len(block), bool),
    }

  filled = prefetch.filled(
    range(-(-num_examples // batch_size)),
    make,
    fill,
    rows=len(block),
    workers=_threads(workers),
  )
  return _accounted(filled, reader, {} if bad is None else bad)


def _empty(rows: int, image_size: int) -> Batch:
  """Returns a batch of black images of class 0."""
  return {
    "images": np.zeros((rows, image_size, image_size, 3), np.uint8),
    "labels": np.zeros(rows, np.int32),
  }


def _threads(workers: int | None) -> int:
  """Returns how many threads decode."""
  if workers is None:
    return os.cpu_count() or 1
  if workers < 0:
    raise ValueError(
      f"workers {workers} is negative: take 0 for none, or None for one a core."
    )
  return workers


def _accounted(
  filled: Iterable[tuple[Batch, list[dict[str, str]]]],
  reader: stream_examples.Reader,
  bad: dict[str, str],
) -> Iterator[Batch]:
  """Yields batches after the account of what was bad in each."""
  for batch, reports in filled:
    for report in reports:
      reader.account(bad, report)
    yield batch
