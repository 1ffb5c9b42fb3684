"""The multilayer perceptron, as in the tabular section."""

from typing import Callable, Sequence

import flax.linen as nn
import jax

from mixup_jax.models import _layers as layers

Array = jax.Array


class MLP(nn.Module):
  """Fully connected ReLU layers, then a linear one.

  Weights and biases start from U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)), the
  default of PyTorch; the paper does not name an initializer.

  Attributes:
    num_classes: The number of logits.
    hidden: The width of each hidden layer. (128, 128) is Zhang et al., ICLR
      2018, section 3.6.
  """

  num_classes: int
  hidden: Sequence[int] = (128, 128)

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
    x = mix(0, x)
    for depth, width in enumerate(self.hidden, start=1):
      x = mix(depth, nn.relu(layers.dense(width, x.shape[-1])(x)))
    return layers.dense(self.num_classes, x.shape[-1])(x)
