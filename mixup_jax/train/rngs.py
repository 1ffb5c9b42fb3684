"""Named streams of random numbers: all randomness of a run, from one key.

    seed --key--> root --fold in the name--> stream --fold in the step--> key

A stream depends on the seed, its name and the step alone: not on the number of
hosts or devices, not on where data lies, not on which other streams are used.
"""

import jax

Array = jax.Array

# What each of them draws: the first weights; the order of an epoch, by its
# number; crops and flips, and neighbours; partners and lam; dropout.
NAMES = ("weights", "order", "augment", "mix", "dropout")


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
  keys = jax.random.split(jax.random.clone(root), 3)
  if name == "weights":
    return keys[0]
  if name == "order":
    return jax.random.fold_in(keys[1], step)
  key = jax.random.fold_in(keys[2], step)
  return jax.random.split(key, 3)[("augment", "mix", "dropout").index(name)]
