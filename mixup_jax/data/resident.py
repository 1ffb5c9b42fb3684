"""Batches of a set that lies in device memory: a batch is a vector of rows."""

import jax
import jax.numpy as jnp

Array = jax.Array


def shuffled_rows(key: Array, num_examples: int, *, batch_size: int,
                  epochs: int) -> tuple[Array, Array]:
  """Draws the rows of every batch of a run, shuffled anew each epoch.

  The last batch of an epoch is kept, and padded to full size.

  Args:
    key: A typed PRNG key, consumed.
    num_examples: The size of the set.
    batch_size: Rows in a batch.
    epochs: Passes over the set.

  Returns:
    `[epochs, steps, batch]` int32 rows, and booleans of the same shape that are
    False for padding.

  Raises:
    ValueError: If a size is less than 1.
  """
  if min(num_examples, batch_size, epochs) < 1:
    raise ValueError(f"num_examples ({num_examples}), batch_size ({batch_size})"
                     f" and epochs ({epochs}) must be at least 1.")
  num_steps = -(-num_examples // batch_size)
  padding = num_steps * batch_size - num_examples
  examples = jnp.arange(num_examples, dtype=jnp.int32)

  def epoch(k: Array) -> Array:
    order = jax.random.permutation(k, examples)
    return jnp.pad(order, (0, padding)).reshape(num_steps, batch_size)

  rows = jax.vmap(epoch)(jax.random.split(key, epochs))
  where = jnp.arange(num_steps * batch_size) < num_examples
  where = jnp.broadcast_to(where.reshape(num_steps, batch_size), rows.shape)
  return rows, where
