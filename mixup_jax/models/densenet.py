"""DenseNet-BC, as in the CIFAR section."""

import functools
from typing import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from mixup_jax.models import _layers as layers

Array = jax.Array

HE_NORMAL = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


class Bottleneck(nn.Module):
  """Two convolutions whose maps are appended to their input.

  Attributes:
    growth: The number of channels appended.
    dropout: The rate of the dropout before the second convolution.
  """

  growth: int
  dropout: float = 0.0

  @nn.compact
  def __call__(
    self,
    x: Array,
    *,
    conv: Callable[..., nn.Conv],
    norm_relu: Callable[..., Array],
    train: bool,
  ) -> Array:
    """Returns `[batch, height, width, channels + growth]` maps."""
    h = conv(4 * self.growth, 1, name="conv1")(norm_relu(x, name="norm1"))
    h = norm_relu(h, name="norm2")
    h = nn.Dropout(self.dropout, deterministic=not train)(h)
    h = conv(self.growth, 3, name="conv2")(h)
    return jnp.concatenate((x, h), axis=-1)


class DenseNet(nn.Module):
  """DenseNet-BC; with its defaults DenseNet-BC-190, growth 40.

  Three stages of bottlenecks. Between them transitions halve the channels and
  the resolution; each is part of the stage that it ends. As in the code
  released with the paper, convolutions start from N(0, 2 / fan_out), BatchNorm
  scales at 1, the linear layer from U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)), and
  biases at 0.

  Attributes:
    num_classes: The number of logits.
    depth: The number of convolutions and the linear layer, 6n + 4 for n
      bottlenecks a stage.
    growth: The channels that each bottleneck appends. The stem has twice as
      many.
    dropout: The rate of the dropout between the two convolutions of a
      bottleneck.
    dtype: The type computed in. Parameters, statistics and logits are float32.

  References:
    Huang et al., Densely Connected Convolutional Networks, CVPR 2017.
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    3.2.
  """

  num_classes: int
  depth: int = 190
  growth: int = 40
  dropout: float = 0.0
  dtype: jax.typing.DTypeLike = jnp.float32

  def __post_init__(self) -> None:
    """Raises ValueError for fields that the network cannot have."""
    layers.check_depth(self.depth)
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
      x: `[batch, height, width, channels]` images.
      train: Whether to use the statistics of the batch, and dropout.
      mix: Called with the depth and the maps: 0 for the images, 1 for what
        enters the first stage, d + 1 after stage d. The last map is what
        enters the final BatchNorm.
      where: `[batch]` booleans, False for padding, which is left out of the
        statistics of the batch.
    """
    mix = mix or (lambda depth, hidden: hidden)
    conv = functools.partial(layers.conv, init=HE_NORMAL, dtype=self.dtype)
    norm_relu = functools.partial(
      layers.norm_relu, train=train, where=where, dtype=self.dtype
    )
    x = mix(1, conv(2 * self.growth, 3, name="stem")(mix(0, x)))
    for stage in (1, 2, 3):
      for block in range(1, (self.depth - 4) // 6 + 1):
        x = Bottleneck(
          self.growth, self.dropout, name=f"stage{stage}_block{block}"
        )(x, conv=conv, norm_relu=norm_relu, train=train)
      if stage < 3:
        x = norm_relu(x, name=f"transition{stage}_norm")
        x = conv(x.shape[-1] // 2, 1, name=f"transition{stage}_conv")(x)
        # Not nn.avg_pool: it divides by an integer array, which strict
        # promotion forbids.
        x = nn.pool(x, 0.0, jax.lax.add, (2, 2), (2, 2), "VALID") / 4
      x = mix(stage + 1, x)
    x = jnp.mean(norm_relu(x, name="final_norm"), axis=(1, 2))
    head = nn.Dense(
      self.num_classes,
      kernel_init=layers.torch_uniform,
      dtype=self.dtype,
      name="head",
    )
    return head(x).astype(jnp.float32)
