"""The multilayer perceptron, as in the tabular section."""

from typing import Callable, Sequence

import flax.linen as nn
import jax

from mixup_jax.models import _layers as layers

Array = jax.Array

# Linear layers of a width and a number of inputs, as these libraries start them
# unless told otherwise.
INITIALIZERS: dict[str, Callable[[int, int], nn.Dense]] = {
  "torch": layers.dense,
  "flax": lambda features, fan_in: nn.Dense(features),
}


class MLP(nn.Module):
  """Fully connected ReLU layers, then a linear one.

  The paper does not name an initializer. "torch" is the default of PyTorch, in
  2017 as today: weights and biases from U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)).
  "flax" is that of Flax: weights from a truncated normal of standard deviation
  1 / sqrt(fan_in), and biases of 0.

  Attributes:
    num_classes: The number of logits.
    hidden: The width of each hidden layer. (128, 128) is Zhang et al., ICLR
      2018, section 3.6.
    initializer: A key of `INITIALIZERS`.
  """

  num_classes: int
  hidden: Sequence[int] = (128, 128)
  initializer: str = "torch"

  def __post_init__(self) -> None:
    """Raises ValueError for an initializer that there is not."""
    if self.initializer not in INITIALIZERS:
      raise ValueError(
        f"unknown initializer {self.initializer!r}: choose one of "
        f"{', '.join(INITIALIZERS)}."
      )
    super().__post_init__()

  @nn.compact
  def __call__(
    self,
    x: Array,
    *,
    train: bool = False,
    mix: Callable[[int, Array], Array] | None = None,
    where: Array | None = None,
  ) -> Array:
    """Returns `[batch, num_classes]` logits of `[batch, features]` inputs."""
    del train, where
    mix = mix or (lambda depth, hidden: hidden)
    dense = INITIALIZERS[self.initializer]
    x = mix(0, x)
    for depth, width in enumerate(self.hidden, start=1):
      x = mix(depth, nn.relu(dense(width, x.shape[-1])(x)))
    return dense(self.num_classes, x.shape[-1])(x)
