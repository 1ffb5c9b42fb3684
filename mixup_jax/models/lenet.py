"""LeNet, as in the speech section."""

from typing import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from mixup_jax.models import _layers as layers
from mixup_jax.models import _pool as pool

Array = jax.Array


class LeNet(nn.Module):
  """Two convolutions with pooling, two linear layers, and dropout.

  The paper gives no more than that; sizes, order and dropout are those of the
  code that it acknowledges for its baseline. Weights and biases start as in
  PyTorch.

  Attributes:
    num_classes: The number of logits.
    width: The channels of both convolutions.
    hidden: The width of the hidden linear layer.
    dropout: The rate of the dropout of whole maps after the second convolution,
      and of hidden units.
    dtype: The type computed in. Parameters and logits are float32.

  References:
    LeCun et al., Gradient-based learning applied to document recognition, Proc.
    IEEE 1998; Zhang et al., ICLR 2018, section 3.3.
  """

  num_classes: int
  width: int = 20
  hidden: int = 1000
  dropout: float = 0.5
  dtype: jax.typing.DTypeLike = jnp.float32

  def __post_init__(self) -> None:
    """Raises ValueError for a rate of dropout that is out of range."""
    layers.check_dropout(self.dropout)
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
    """Returns `[batch, num_classes]` logits.

    Args:
      x: `[batch, height, width, channels]` images, of 16 x 16 at least.
      train: Whether to use dropout.
      mix: Called with the depth and the maps: 0 for the images, d for what
        comes out of the d-th pooling.
      where: Of no effect: each example is on its own.
    """
    del where
    mix = mix or (lambda depth, hidden: hidden)

    def conv(x: Array, name: str) -> Array:
      return layers.biased_conv(
        self.width, 5, x.shape[-1], padding=0, dtype=self.dtype, name=name
      )(x)

    def drop(axes: tuple[int, ...] = ()) -> nn.Dropout:
      return nn.Dropout(
        self.dropout, broadcast_dims=axes, deterministic=not train
      )

    x = mix(1, nn.relu(pool.max_pool(conv(mix(0, x), "conv1"), 2, 2)))
    x = drop((1, 2))(conv(x, "conv2"))
    x = mix(2, nn.relu(pool.max_pool(x, 2, 2)))
    x = x.reshape(len(x), -1)
    x = layers.dense(self.hidden, x.shape[-1], dtype=self.dtype, name="hidden")(
      x
    )
    x = drop()(nn.relu(x))
    head = layers.dense(
      self.num_classes, self.hidden, dtype=self.dtype, name="head"
    )
    return head(x).astype(jnp.float32)
