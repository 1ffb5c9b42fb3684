"""Checks of hyperparameters and batches."""

import numbers
from typing import Any

import jax
import numpy as np

PyTree = Any


def check_alpha(alpha: jax.typing.ArrayLike) -> None:
  """Checks the concentration of Beta(alpha, alpha).

  Args:
    alpha: A number or array of numbers in [0, infinity]. JAX arrays are not
      checked.

  Raises:
    TypeError: If it is not a number or an array of numbers.
    ValueError: If it is negative or NaN.
  """
  check_range(
    "alpha",
    alpha,
    advice="0 is ERM, the paper uses 0.2 for ImageNet and 1 for CIFAR",
  )


def check_range(
  name: str,
  value: jax.typing.ArrayLike,
  *,
  high: float = float("inf"),
  advice: str,
) -> None:
  """Raises unless a hyperparameter is a number in [0, high].

  JAX arrays are not checked: reading their values would wait for the device, or
  fail under a trace.
  """
  if isinstance(value, jax.Array):
    return
  if isinstance(value, bool) or not isinstance(
    value, (numbers.Real, np.ndarray, np.generic)
  ):
    raise TypeError(f"{name} must be a number, got {value!r}: {advice}.")
  values = np.asarray(value, np.float64)
  bad = values[~((values >= 0) & (values <= high))]
  if bad.size:
    raise ValueError(
      f"{name} must be from 0 to {high:g}, got {bad.flat[0]:g}: {advice}."
    )


def check_pairable(batch_size: int) -> None:
  """Raises ValueError if a batch has fewer than two examples."""
  if batch_size < 2:
    raise ValueError(
      f"mixing needs at least two examples, got a batch of {batch_size}: use "
      "a larger batch (per device, if partners come from the same device), or "
      "no transform for ERM."
    )


def batch_size(tree: PyTree) -> int:
  """Returns the common length of the leading axes of inputs and targets.

  Args:
    tree: The pair of them, each any tree of arrays.

  Returns:
    The length.

  Raises:
    TypeError: If a leaf holds no numbers.
    ValueError: If a leaf has no such axis, or another length.
  """
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  for path, leaf in leaves:
    dtype = getattr(leaf, "dtype", None) or np.asarray(leaf).dtype
    if np.dtype(getattr(dtype, "str", "f4")).kind in "SUOMm":
      raise TypeError(
        f"{_name(path)} has the dtype {dtype}, which holds no numbers: keep it "
        "beside the batch, and pass class ids or floats."
      )
  shapes = [np.shape(leaf) for _, leaf in leaves]
  if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
    named = [f"{_name(path)} {np.shape(leaf)}" for path, leaf in leaves]
    raise ValueError(
      "inputs and targets must be arrays that share a leading batch axis, got "
      f"the shapes {', '.join(named) or 'of none'} (targets that are mixed "
      "already cannot be mixed again)."
    )
  return shapes[0][0]


def check_where(where: Any, size: int) -> None:
  """Raises unless a mask of padding is `[batch]` booleans.

  Args:
    where: The mask, or None.
    size: The number of examples in the batch.

  Raises:
    TypeError: If it is not boolean; `~where` of integers is no mask.
    ValueError: If its shape is another.
  """
  if where is None:
    return
  if np.shape(where) != (size,):
    raise ValueError(
      f"where must have the shape ({size},), one boolean an example, got "
      f"{np.shape(where)}: padding within an example belongs to its loss."
    )
  if jax.dtypes.result_type(where) != np.bool_:
    raise TypeError(
      f"where must be boolean, got {jax.dtypes.result_type(where)}: pass "
      "where > 0."
    )


def _name(path: Any) -> str:
  """Returns the name of a leaf of `(inputs, targets)`."""
  first, *rest = path or [jax.tree_util.SequenceKey(0)]
  index = getattr(first, "idx", None)
  if index not in (0, 1):
    return jax.tree_util.keystr(path)
  return ("inputs", "targets")[index] + jax.tree_util.keystr(tuple(rest))
