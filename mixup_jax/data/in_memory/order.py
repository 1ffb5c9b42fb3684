"""The order of a data set in device memory: a batch is a vector of rows."""

import jax
import jax.numpy as jnp

Array = jax.Array


def epoch_rows(
  key: Array, num_examples: int, *, batch_size: int
) -> tuple[Array, Array]:
  """Draws the rows of every batch of one epoch.

  The last batch is kept, and padded to full size.

  Args:
    key: A typed PRNG key, consumed.
    num_examples: The number of examples.
    batch_size: Rows in a batch.

  Returns:
    `[steps, batch]` int32 rows, each example once, and booleans of the same
    shape that are False for padding.

  Raises:
    ValueError: If a size is less than 1.
  """
  _check_positive(num_examples=num_examples, batch_size=batch_size)
  order = jax.random.permutation(key, jnp.arange(num_examples, dtype=jnp.int32))
  return _batches(order, batch_size)


def padded_rows(num_examples: int, *, batch_size: int) -> tuple[Array, Array]:
  """Returns the rows of every batch in order, for evaluation.

  Args:
    num_examples: The number of examples.
    batch_size: Rows in a batch.

  Returns:
    `[steps, batch]` int32 rows, and booleans of the same shape that are False
    for padding.

  Raises:
    ValueError: If a size is less than 1.
  """
  _check_positive(num_examples=num_examples, batch_size=batch_size)
  return _batches(jnp.arange(num_examples, dtype=jnp.int32), batch_size)


def _batches(order: Array, batch_size: int) -> tuple[Array, Array]:
  """Pads `[rows]` with row 0 to `[steps, batch]`; also returns the mask."""
  num_steps = -(-len(order) // batch_size)
  padding = num_steps * batch_size - len(order)
  rows = jnp.pad(order, (0, padding)).reshape(num_steps, batch_size)
  where = jnp.arange(num_steps * batch_size) < len(order)
  return rows, where.reshape(num_steps, batch_size)


def _check_positive(**sizes: int) -> None:
  """Raises ValueError unless every size is at least 1."""
  for name, size in sizes.items():
    if size < 1:
      raise ValueError(f"{name} ({size}) must be at least 1.")
