"""Chooses the row of the batch that each example is mixed with.

Every function returns `[batch]` int32 row numbers: a permutation, so that each
example is a partner exactly once, except for `different_class_partners`, where
that may be impossible.
"""

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks

Array = jax.Array


def random_partners(key: Array, batch_size: int) -> Array:
  """Pairs the batch with a uniformly random permutation of itself.

  An example is its own partner with probability 1 / batch, as in the paper.

  Args:
    key: A typed PRNG key, consumed.
    batch_size: The number of examples, at least 2.

  Returns:
    `[batch]` int32, a permutation.

  Raises:
    ValueError: If the batch has fewer than two examples.

  References:
    Zhang et al., ICLR 2018, section 2: one loader, the minibatch mixed with a
    random permutation of itself.
  """
  _checks.check_pairable(batch_size)
  index_bits = (batch_size - 1).bit_length()
  if index_bits > 12:
    return jax.random.permutation(key, jnp.arange(batch_size, dtype=jnp.int32))
  # Sorting rows by random numbers dominates the time of a small mixup, and
  # sorting words takes a fifth of the time of sorting pairs. So the low bits of
  # each random number hold its row. At least 20 bits stay random: two of them
  # tie once in a million, and the lower row then comes first.
  rows = jnp.arange(batch_size, dtype=jnp.uint32)
  mask = jnp.uint32(2**index_bits - 1)
  words = jax.random.bits(key, (batch_size,), jnp.uint32) & ~mask | rows
  return (jnp.sort(words) & mask).astype(jnp.int32)


def rolled_partners(batch_size: int, *, shift: int = 1) -> Array:
  """Pairs each example with the one `shift` rows before it.

  If the loader shuffles the data, these pairs are as random as a fresh
  permutation, and no example is its own partner.

  Args:
    batch_size: The number of examples, at least 2.
    shift: The number of rows to roll by; not a multiple of the batch size.

  Returns:
    `[batch]` int32, the permutation `(row - shift) mod batch`.

  Raises:
    ValueError: If the batch has fewer than two examples, or every example would
      be paired with itself.
  """
  _checks.check_pairable(batch_size)
  if shift % batch_size == 0:
    raise ValueError(
      f"a shift of {shift} pairs every example of a batch of "
      f"{batch_size} with itself: use shift=1."
    )
  return jnp.roll(jnp.arange(batch_size, dtype=jnp.int32), shift)


def same_class_partners(key: Array, labels: Array) -> Array:
  """Permutes the batch uniformly within each class.

  An example that is alone in its class is its own partner.

  Args:
    key: A typed PRNG key, consumed.
    labels: `[batch]` integers or booleans, the class of each example.

  Returns:
    `[batch]` int32, a permutation with `labels[partner] == labels`.

  Raises:
    ValueError: If the batch has fewer than two examples.

  References:
    Zhang et al., ICLR 2018, section 3.8: "SC + RP" of the ablation study.
  """
  _checks.check_pairable(labels.shape[0])
  first, second = (_sort_by_class(k, labels) for k in jax.random.split(key))
  return jnp.zeros_like(first).at[first].set(second)


def different_class_partners(key: Array, labels: Array) -> Array:
  """Draws each partner uniformly from the examples of all other classes.

  Partners are drawn independently: a permutation need not exist, as when one
  class has more than half of the batch. In a batch of a single class, every
  example is its own partner.

  Args:
    key: A typed PRNG key, consumed.
    labels: `[batch]` integers or booleans, the class of each example.

  Returns:
    `[batch]` int32 with `labels[partner] != labels`, not a permutation.

  Raises:
    ValueError: If the batch has fewer than two examples.
  """
  batch_size = labels.shape[0]
  _checks.check_pairable(batch_size)
  order_key, draw_key = jax.random.split(key)
  labels = jnp.asarray(labels)
  order = _sort_by_class(order_key, labels)
  ordered = labels[order]
  # In class order each class is one block; a draw from the others skips it.
  start, stop = (
    jnp.searchsorted(ordered, labels, side=side).astype(jnp.int32)
    for side in ("left", "right")
  )
  others = batch_size - (stop - start)
  draw = jax.random.randint(
    draw_key, (batch_size,), 0, jnp.maximum(others, 1), jnp.int32
  )
  position = jnp.where(draw < start, draw, draw + stop - start)
  own = jnp.arange(batch_size, dtype=jnp.int32)
  return jnp.where(others > 0, order[position % batch_size], own)


def _sort_by_class(key: Array, labels: Array) -> Array:
  """Returns `[batch]` int32 rows by class, in random order within each."""
  noise = jax.random.bits(key, labels.shape)
  return jnp.lexsort((noise, labels)).astype(jnp.int32)
