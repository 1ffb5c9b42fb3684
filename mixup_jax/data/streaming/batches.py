"""Batches of data sets too large for memory, decoded on demand.

The batch of a step is a function of seed and step alone, and each host decodes
its own rows of it: a run resumes exactly, with any number of hosts and of
workers. For that, examples are read one by one from anywhere in
the data set. A host that read its own record files in sequence would be faster,
but would never mix examples of different files.
"""

import itertools
import os
from typing import Generator, Iterable, Iterator, Sequence

import numpy as np

from mixup_jax.data.streaming import decode
from mixup_jax.data.streaming import order
from mixup_jax.data.streaming import prefetch
from mixup_jax.data.streaming.datasets import load
from mixup_jax.data.streaming.datasets import StreamSet
from mixup_jax.data.streaming.reader import make_reader
from mixup_jax.data.streaming.reader import Reader

__all__ = ["StreamSet", "eval_batches", "load", "train_batches"]
Batch = dict[str, np.ndarray]


def train_batches(
  stream_set: StreamSet,
  *,
  seed: int,
  first_step: int = 0,
  batch_size: int,
  image_size: int,
  rows: Sequence[int] | None = None,
  workers: int | None = None,
  max_bad_share: float = 0.001,
  bad: dict[str, str] | None = None,
) -> Generator[Batch, None, None]:
  """Yields this host's rows of every batch from a step on, without end.

  Every epoch has a new order, and drops the examples that do not fill a batch.
  An image that cannot be read, or whose label is not a class, is reported on
  stderr and replaced by the next valid one in the order.

  Args:
    stream_set: The data set.
    seed: Determines every order, crop and flip.
    first_step: The number of batches taken before.
    batch_size: Rows of a batch over all hosts.
    image_size: Height and width of the crops, in pixels.
    rows: Those of each batch that this host decodes, rising, as of
      `sharding.local_rows`; None is all.
    workers: The number of decoding threads; 0 decodes on demand, and None is
      one per core.
    max_bad_share: The share of the data set that may be bad; five images are
      always allowed.
    bad: Updated with the name and the error of each bad image. Images that are
      in it are not reported again.

  Returns:
    An iterator of "images", `[rows, size, size, 3]` uint8 RGB, and "labels",
    `[rows]` int32. It raises RuntimeError at too many bad images.

  Raises:
    ValueError: If an argument is invalid.
  """
  reader = make_reader(stream_set, "train", max_bad_share)
  own = _own(rows, batch_size)
  num_examples = len(reader.source)
  steps = num_examples // batch_size
  if not steps:
    raise ValueError(
      f"a batch of {batch_size} is larger than the "
      f"{num_examples} training images of {stream_set.name}: "
      "use a smaller batch_size."
    )
  if seed < 0 or first_step < 0:
    raise ValueError(
      f"seed {seed} or first_step {first_step} is negative: both count from 0."
    )

  def fill(step: int, rows: range, batch: Batch) -> dict[str, str]:
    epoch, index = divmod(step, steps)
    permutation = order.epoch_order(num_examples, seed, epoch)
    first = index * batch_size
    positions = [first + row for row in own[rows.start : rows.stop]]
    bad: dict[str, str] = {}
    for row, draws, (image, batch["labels"][row]) in zip(
      rows,
      order.draws(seed, epoch, positions),
      reader.read_from(permutation, positions, bad),
    ):
      decode.train_image(image, draws, out=batch["images"][row])
    return bad

  filled = prefetch.filled(
    itertools.count(first_step),
    lambda: _empty(len(own), image_size),
    fill,
    rows=len(own),
    workers=_threads(workers),
  )
  return _accounted(filled, reader, {} if bad is None else bad)


def eval_batches(
  stream_set: StreamSet,
  *,
  batch_size: int,
  image_size: int,
  rows: Sequence[int] | None = None,
  workers: int | None = None,
  max_bad_share: float = 0.001,
  bad: dict[str, str] | None = None,
) -> Iterator[Batch]:
  """Yields this host's rows of the validation batches, in order.

  Each image occurs once over all hosts, except those that cannot be read: they
  are reported on stderr, and masked like the padding of the last batch.

  Args:
    stream_set: The data set.
    batch_size: Rows of a batch over all hosts.
    image_size: Height and width of the central crops, in pixels.
    rows: Those of each batch that this host decodes, rising, as of
      `sharding.local_rows`; None is all.
    workers: As in `train_batches`.
    max_bad_share: As in `train_batches`.
    bad: As in `train_batches`.

  Returns:
    An iterator of "images" and "labels" as in `train_batches`, and "where",
    `[rows]` booleans that are False for padding and bad images. Every host
    yields the same number of batches.

  Raises:
    ValueError: If an argument is invalid.
  """
  reader = make_reader(stream_set, "validation", max_bad_share)
  own = _own(rows, batch_size)
  num_examples = len(reader.source)

  def fill(step: int, rows: range, batch: Batch) -> dict[str, str]:
    bad: dict[str, str] = {}
    first = step * batch_size
    positions = [first + row for row in own[rows.start : rows.stop]]
    positions = [x for x in positions if x < num_examples]
    for row, position, example in zip(rows, positions, reader.fetch(positions)):
      found = reader.decode(position, example, bad)
      if found is not None:
        image, batch["labels"][row] = found
        decode.eval_image(image, out=batch["images"][row])
        batch["where"][row] = True
    return bad

  def make() -> Batch:
    return {**_empty(len(own), image_size), "where": np.zeros(len(own), bool)}

  filled = prefetch.filled(
    range(-(-num_examples // batch_size)),
    make,
    fill,
    rows=len(own),
    workers=_threads(workers),
  )
  return _accounted(filled, reader, {} if bad is None else bad)


def _own(rows: Sequence[int] | None, batch_size: int) -> Sequence[int]:
  """Returns the rows of each batch that this host decodes."""
  own = range(batch_size) if rows is None else rows
  if not own or own[0] < 0 or own[-1] >= batch_size:
    raise ValueError(
      f"rows {list(own)} are not those of a batch of {batch_size}: use "
      "sharding.local_rows."
    )
  return own


def _empty(rows: int, image_size: int) -> Batch:
  """Returns a batch of black images of class 0."""
  return {
    "images": np.zeros((rows, image_size, image_size, 3), np.uint8),
    "labels": np.zeros(rows, np.int32),
  }


def _threads(workers: int | None) -> int:
  """Returns the number of decoding threads."""
  if workers is None:
    return os.cpu_count() or 1
  if workers < 0:
    raise ValueError(
      f"workers {workers} is negative: use 0 for none, or None for one per "
      "core."
    )
  return workers


def _accounted(
  filled: Iterable[tuple[Batch, list[dict[str, str]]]],
  reader: Reader,
  bad: dict[str, str],
) -> Generator[Batch, None, None]:
  """Yields batches after recording the bad images of each."""
  for batch, reports in filled:
    for report in reports:
      reader.account(bad, report)
    yield batch
