"""Optimisers by name, as the configs spell them."""

from typing import Any, Callable

import optax

OPTIMIZERS: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adam": optax.adam,
}


def build(name: str, **settings: Any) -> optax.GradientTransformation:
  """Builds an optimiser by its name.

  Args:
    name: A key of `OPTIMIZERS`.
    **settings: Arguments of the optax function, such as `learning_rate`.

  Returns:
    The optax transformation.

  Raises:
    ValueError: If the name is unknown.
    TypeError: If the optimiser has no such setting.
  """
  if name not in OPTIMIZERS:
    raise ValueError(f"unknown optimizer {name!r}: choose one of "
                     f"{', '.join(OPTIMIZERS)}.")
  return OPTIMIZERS[name](**settings)
