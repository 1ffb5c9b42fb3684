"""Flax models, one family a file.

Every model is called as `model.apply(variables, x, train=..., mix=None)`, and
calls `mix(depth, hidden)` at depth 0 for the input and at depth d behind its
d-th hidden layer or stage. It knows nothing else about mixing.
"""

from typing import Any, Callable

import flax.linen as nn

from mixup_jax.models.mlp import MLP

MODELS: dict[str, Callable[..., nn.Module]] = {
    "mlp": MLP,
}


def build(name: str, *, num_classes: int, **sizes: Any) -> nn.Module:
  """Builds a model by its name.

  Args:
    name: A key of `MODELS`.
    num_classes: The number of logits.
    **sizes: Fields of the model, such as `hidden` of the MLP.

  Returns:
    The module, without parameters.

  Raises:
    ValueError: If the name is unknown.
    TypeError: If the model has no such field.
  """
  if name not in MODELS:
    raise ValueError(f"unknown model {name!r}: choose one of "
                     f"{', '.join(MODELS)}.")
  return MODELS[name](num_classes=num_classes, **sizes)
