"""Wide ResNet, as in the CIFAR section."""

import functools
from typing import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from mixup_jax.models import _layers as layers
from mixup_jax.models.preact_resnet import PreActBlock

Array = jax.Array

HE_NORMAL = nn.initializers.variance_scaling(2.0, "fan_in", "normal")


class WideResNet(nn.Module):
  """Wide ResNet; with its defaults WRN-28-10, for 32x32 images.

  Three stages of pre-activation blocks, then BatchNorm and ReLU. All weights
  start from N(0, 2 / fan_in) and the bias at 0, as in the PyTorch code of its
  authors.

  Attributes:
    num_classes: The number of logits.
    depth: The number of convolutions on the longest path and the linear layer,
      6n + 4 for n blocks a stage.
    width: The widening factor: the stages have 16, 32 and 64 times as many
      channels.
    bn_scale: "uniform" starts BatchNorm scales from U(0, 1), as that code does;
      "ones" starts them at 1.
    dropout: The rate of the dropout between the two convolutions of a block.
    dtype: The type computed in. Parameters, statistics and logits are float32.

  References:
    Zagoruyko and Komodakis, Wide Residual Networks, BMVC 2016.
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    3.2.
  """

  num_classes: int
  depth: int = 28
  width: int = 10
  bn_scale: str = "uniform"
  dropout: float = 0.0
  dtype: jax.typing.DTypeLike = jnp.float32

  def __post_init__(self) -> None:
    """Raises ValueError for fields that the network cannot have."""
    layers.check_depth(self.depth)
    layers.check_bn_scale(self.bn_scale)
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
      layers.norm_relu,
      train=train,
      where=where,
      scale_init=layers.BN_SCALES[self.bn_scale],
      dtype=self.dtype,
    )
    x = mix(1, conv(16, 3, name="stem")(mix(0, x)))
    for stage in (1, 2, 3):
      for block in range(1, (self.depth - 4) // 6 + 1):
        x = PreActBlock(
          8 * 2**stage * self.width,
          stride=2 if stage > 1 and block == 1 else 1,
          dropout=self.dropout,
          name=f"stage{stage}_block{block}",
        )(x, conv=conv, norm_relu=norm_relu, train=train)
      x = mix(stage + 1, x)
    x = jnp.mean(norm_relu(x, name="final_norm"), axis=(1, 2))
    head = nn.Dense(
      self.num_classes, kernel_init=HE_NORMAL, dtype=self.dtype, name="head"
    )
    return head(x).astype(jnp.float32)
