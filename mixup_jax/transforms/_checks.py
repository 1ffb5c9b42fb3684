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
  """Returns the common length of the leading axes, or raises ValueError."""
  shapes = [np.shape(leaf) for leaf in jax.tree.leaves(tree)]
  if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
    raise ValueError(
      "inputs and targets must be arrays that share a leading "
      f"batch axis, got shapes {shapes} (targets that are mixed "
      "already cannot be mixed again)."
    )
  return shapes[0][0]
