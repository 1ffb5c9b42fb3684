"""Class ids and row numbers, compared with their range before a gather.

A gather of JAX clamps indices that are too large, and counts negative ones from
the end: -100, which other software ignores, would be class 900 of 1,000.
"""

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array


def in_range(ids: jax.typing.ArrayLike, *, size: int, name: str) -> Array:
  """Compares ids with their range.

  Args:
    ids: Integers of any shape. NumPy arrays, whose values are known, are
      checked; for JAX arrays that would wait for the device, or fail under a
      trace.
    size: The number of classes, or of rows.
    name: What they are, such as "class ids".

  Returns:
    Booleans of the shape of `ids`, True in [0, size).

  Raises:
    ValueError: If an id of a NumPy array is out of range.
  """
  if isinstance(ids, (np.ndarray, np.integer)):
    values = np.asarray(ids)
    bad = values[(values < 0) | (values >= size)]
    if bad.size:
      raise ValueError(
        f"{name} must be from 0 to {size - 1}, got {bad.flat[0]}: correct it, "
        "or replace it and mask the row."
      )
  ids = jnp.asarray(ids)
  if ids.dtype.itemsize < 4:
    ids = ids.astype(jnp.int32)  # The size may not fit into their own type.
  return (ids >= 0) & (ids < size)


def one_hot(
  ids: Array, num_classes: int, *, dtype: jax.typing.DTypeLike = jnp.float32
) -> Array:
  """Returns one-hot vectors of class ids, NaN where an id is out of range.

  Args:
    ids: `[...]` integers.
    num_classes: The number of classes, at least 2.
    dtype: A floating-point dtype.

  Returns:
    `[..., num_classes]` vectors.

  Raises:
    ValueError: If there are fewer than 2 classes, or an id of a NumPy array is
      out of range.
  """
  check_num_classes(num_classes)
  valid = in_range(ids, size=num_classes, name="class ids")
  vectors = jax.nn.one_hot(ids, num_classes, dtype=dtype)
  return nan_unless(valid[..., None], vectors)


def check_num_classes(num_classes: int) -> None:
  """Checks that there are at least 2 classes.

  Args:
    num_classes: The number of classes.

  Raises:
    ValueError: If there are fewer: softmax over one class is always 1.
  """
  if num_classes < 2:
    raise ValueError(
      f"num_classes must be at least 2, got {num_classes}: softmax over one "
      "class is always 1, and its loss and gradient are 0. Give a binary "
      "problem 2 logits."
    )


@jax.jit
def nan_unless(valid: Array, values: Array) -> Array:
  """Returns the values, NaN where they are not valid; broadcasts.

  Under `jit`, so that `jax_debug_nans` finds a NaN only where one is returned.
  """
  return jnp.where(valid, values, jnp.nan)
