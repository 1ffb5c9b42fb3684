"""The order and the random draws of a stream, from seed, epoch and position."""

import functools
from typing import Sequence

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


def draws(
  seed: int, epoch: int, positions: Sequence[int] | np.ndarray
) -> np.ndarray:
  """Draws the uniform numbers for the crops and flips of some examples.

  Args:
    seed: As in `epoch_order`.
    epoch: As in `epoch_order`.
    positions: Rising positions in the order of the epoch, one or more.

  Returns:
    `[positions, decode.DRAWS]` float64 in [0, 1). The draws of a position do
    not depend on the other positions.
  """
  gaps = np.flatnonzero(np.diff(positions) != 1) + 1
  runs = np.split(np.asarray(positions), gaps)
  return np.concatenate([_draws(seed, epoch, int(x[0]), len(x)) for x in runs])


def _draws(seed: int, epoch: int, first: int, count: int) -> np.ndarray:
  """Draws the numbers of consecutive positions."""
  # A step of the counter gives four numbers.
  counter = first * decode.DRAWS // 4
  return _generator(seed, epoch, (counter, 0, 0, 0)).random(
    (count, decode.DRAWS)
  )


def _generator(
  seed: int, epoch: int, counter: tuple[int, ...]
) -> np.random.Generator:
  """Returns a generator that starts at a counter in the stream of an epoch."""
  # A counter-based generator starts anywhere at no cost, without overlaps.
  return np.random.Generator(
    np.random.Philox(key=(seed, epoch), counter=counter)
  )
