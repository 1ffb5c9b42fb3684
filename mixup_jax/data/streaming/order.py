"""The order and the random draws of a stream, from seed, epoch and position."""

import functools

import numpy as np

from mixup_jax.data.streaming import decode


@functools.lru_cache(maxsize=2)  # Prefetching past an epoch's end needs two.
def epoch_order(num_examples: int, seed: int, epoch: int) -> np.ndarray:
  """Draws the order of an epoch.

  Args:
    num_examples: The number of examples.
    seed: Determines all orders of a run.
    epoch: The number of the epoch, from 0.

  Returns:
    `[num_examples]` int64, a read-only permutation.
  """
  order = _generator(seed, epoch, (0, 0, 1, 0)).permutation(num_examples)
  order.flags.writeable = False
  return order


def draws(seed: int, epoch: int, positions: range) -> np.ndarray:
  """Draws the uniform numbers for the crops and flips of some examples.

  Args:
    seed: As in `epoch_order`.
    epoch: As in `epoch_order`.
    positions: Consecutive positions in the order of the epoch.

  Returns:
    `[positions, decode.DRAWS]` float64 in [0, 1). The draws of a position do
    not depend on the other positions.
  """
  # A step of the counter gives four numbers.
  counter = positions.start * decode.DRAWS // 4
  shape = len(positions), decode.DRAWS
  return _generator(seed, epoch, (counter, 0, 0, 0)).random(shape)


def local_rows(
  batch_size: int, process_index: int, num_processes: int
) -> range:
  """Returns the rows of every batch that a host decodes.

  Args:
    batch_size: Rows of a batch over all hosts.
    process_index: The index of this host, from 0.
    num_processes: The number of hosts.

  Returns:
    The contiguous rows of this host.

  Raises:
    ValueError: If the hosts cannot share a batch equally.
  """
  if batch_size < 1 or num_processes < 1 or batch_size % num_processes:
    raise ValueError(
      f"{num_processes} processes cannot share a batch of {batch_size} "
      "equally: use a batch_size that is a multiple of their number."
    )
  if not 0 <= process_index < num_processes:
    raise ValueError(
      f"process_index {process_index} is not one of "
      f"{num_processes} processes, which count from 0."
    )
  rows = batch_size // num_processes
  return range(process_index * rows, (process_index + 1) * rows)


def _generator(
  seed: int, epoch: int, counter: tuple[int, ...]
) -> np.random.Generator:
  """Returns a generator that starts at a counter in the stream of an epoch."""
  # A counter-based generator starts anywhere at no cost, without overlaps.
  return np.random.Generator(
    np.random.Philox(key=(seed, epoch), counter=counter)
  )
