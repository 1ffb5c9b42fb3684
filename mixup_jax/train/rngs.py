"""Named streams of random numbers: all randomness of a run, from its seed.

    seed --key--> root --fold in the name--> stream --fold in the step--> key

A stream depends on the seed, its name and the step alone: not on the number of
hosts or devices, not on where data lies, not on which other streams are used.
"""

import zlib

import jax
import numpy as np

Array = jax.Array

# What each of them draws.
NAMES = (
  "weights",  # The first weights.
  "order",  # The order of an epoch, by its number.
  "augment",  # Crops and flips, and neighbours.
  "mix",  # Partners and lam.
  "dropout",
  "iterations",  # All of an iteration of a GAN.
  "snapshots",  # The noise of points that a GAN shows.
  "measurements",  # The noise of points that a GAN is measured on.
)


def stream(root: Array, name: str, step: jax.typing.ArrayLike = 0) -> Array:
  """Returns the key of a stream.

  Args:
    root: A typed PRNG key, that of the run. It may be used for any number of
      streams, and for nothing else.
    name: One of `NAMES`.
    step: The number of steps done, or of the epoch, `[]`; 0 for what is drawn
      once. May be traced.

  Returns:
    A typed PRNG key.

  Raises:
    ValueError: If there is no such stream.
  """
  if name not in NAMES:
    raise ValueError(
      f"unknown stream {name!r}: choose one of {', '.join(NAMES)}."
    )
  # Not the place of the name in the list: a name more would change all others.
  number = np.uint32(zlib.crc32(name.encode()))
  named = jax.random.fold_in(jax.random.clone(root), number)
  return jax.random.fold_in(named, step)
