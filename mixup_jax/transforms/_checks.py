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


def batch_size(**trees: PyTree) -> int:
  """Returns the common length of the leading axes of inputs and targets.

  Args:
    **trees: Each any tree of arrays, under the name that errors give it.

  Returns:
    The length.

  Raises:
    TypeError: If a leaf holds no numbers.
    ValueError: If a leaf has no such axis, or another length, or integers that
      JAX would cut.
  """
  check_numbers(**trees)
  leaves = _named_leaves(trees)
  first: dict[tuple[int, ...], str] = {}  # Of each length: a list is long.
  for name, leaf in leaves:
    first.setdefault(np.shape(leaf)[:1], f"{name} {np.shape(leaf)}")
  if len(first) != 1 or () in first:
    raise ValueError(
      "inputs and targets must be arrays that share a leading batch axis, got "
      f"the shapes {', '.join(first.values()) or 'of none'} (make an array of "
      "a list, whose items are taken one by one; targets that are mixed "
      "already cannot be mixed again)."
    )
  return next(iter(first))[0]


def check_numbers(**trees: PyTree) -> None:
  """Raises unless JAX can hold every leaf.

  Args:
    **trees: As in `batch_size`.

  Raises:
    TypeError: If a leaf holds no numbers, but strings, objects or dates.
    ValueError: If a NumPy leaf holds integers of 64 bits that JAX would cut to
      32, which is silent. Arguments of `jit` were cut before.
  """
  for name, leaf in _named_leaves(trees):
    dtype = getattr(leaf, "dtype", None) or np.asarray(leaf).dtype
    if np.dtype(getattr(dtype, "str", "f4")).kind in "SUOMm":
      raise TypeError(
        f"{name} has the dtype {dtype}, which holds no numbers: keep it beside "
        "the batch, and pass class ids, floats, or row numbers to look it up "
        "by."
      )
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "iu":
      kept = jax.dtypes.result_type(leaf)
      if kept != leaf.dtype and np.any(leaf.astype(kept) != leaf):
        raise ValueError(
          f"{name} has integers that {kept} cannot hold, and JAX would cut "
          "them: pass row numbers to look them up by."
        )


def at(path: Any) -> str:
  """Returns where a leaf is in its tree, for an error: " at ['x']", or ""."""
  return f" at {jax.tree_util.keystr(path)}" if path else ""


def check_array(name: str, value: Any) -> None:
  """Raises TypeError unless a value is an array, and no tree of several."""
  if not hasattr(value, "dtype"):
    raise TypeError(
      f"{name} must be one array, got {type(value).__name__}: pass the array "
      "alone, and keep the others beside it."
    )


def check_boolean(name: str, mask: Any) -> None:
  """Raises TypeError unless a mask is an array of booleans.

  `~` of integers is no mask, and of a list there is none.
  """
  check_array(name, mask)
  dtype = jax.dtypes.result_type(mask)
  if dtype != np.bool_:
    raise TypeError(f"{name} must be boolean, got {dtype}: pass {name} > 0.")


def check_where(where: Any, size: int) -> None:
  """Raises unless a mask of padding is `[batch]` booleans.

  Args:
    where: The mask, or None.
    size: The number of examples in the batch.

  Raises:
    TypeError: If it is not boolean.
    ValueError: If its shape is another.
  """
  if where is None:
    return
  if np.shape(where) != (size,):
    raise ValueError(
      f"where must have the shape ({size},), one boolean an example, got "
      f"{np.shape(where)}: padding within an example belongs to its loss."
    )
  check_boolean("where", where)


def _named_leaves(trees: dict[str, PyTree]) -> list[tuple[str, Any]]:
  """Returns every leaf with its name, such as `targets['label']`."""
  return [
    (name + jax.tree_util.keystr(path), leaf)
    for name, tree in trees.items()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  ]
