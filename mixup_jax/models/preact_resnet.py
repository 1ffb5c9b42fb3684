"""PreAct-ResNet, as in the CIFAR section."""

import functools
from typing import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from mixup_jax.models import _layers as layers

Array = jax.Array

VARIANTS = ("author", "official", "modern")


class PreActBlock(nn.Module):
  """Two 3x3 convolutions, each after BatchNorm and ReLU, and a shortcut.

  Attributes:
    features: The number of output channels.
    stride: The stride of the first convolution.
    dropout: The rate of the dropout before the second convolution.
    activated_shortcut: Whether the identity shortcut starts from the activated
      input. A shortcut that changes the shape always does.
  """

  features: int
  stride: int = 1
  dropout: float = 0.0
  activated_shortcut: bool = False

  @nn.compact
  def __call__(
    self,
    x: Array,
    *,
    conv: Callable[..., nn.Conv],
    norm_relu: Callable[..., Array],
    train: bool,
  ) -> Array:
    """Returns `[batch, height / stride, width / stride, features]` maps."""
    activated = norm_relu(x, name="norm1")
    shortcut = activated if self.activated_shortcut else x
    if self.stride > 1 or x.shape[-1] != self.features:
      shortcut = conv(self.features, 1, stride=self.stride, name="shortcut")(
        activated
      )
    h = conv(self.features, 3, stride=self.stride, name="conv1")(activated)
    h = norm_relu(h, name="norm2")
    h = nn.Dropout(self.dropout, deterministic=not train)(h)
    return shortcut + conv(self.features, 3, name="conv2")(h)


class PreActResNet(nn.Module):
  """PreAct-ResNet; with its defaults PreAct-ResNet-18, for 32x32 images.

  Three variants share the name:

  - "author": no BatchNorm after the stem, none before pooling, and identity
    shortcuts carry the raw maps. This is the first author's code for CIFAR-10,
    which the paper's numbers are from.
  - "official": the code that was released with the paper. BatchNorm and ReLU
    follow the stem, and every shortcut starts from the activated maps.
  - "modern": "author" with BatchNorm and ReLU before pooling. Without them the
    maps grow from block to block, and training diverges when BatchNorm scales
    start at 1, as they do in PyTorch since 1.2; combine it with
    `bn_scale="ones"` for the network that is common now.

  Convolutions, and weights and biases of the linear layer, start from
  U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)).

  Attributes:
    num_classes: The number of logits.
    width: The channels of the stem and the first stage. Each further stage has
      twice the channels and half the resolution.
    blocks: The number of blocks of each stage.
    variant: "author", "official" or "modern".
    bn_scale: "uniform" starts BatchNorm scales from U(0, 1), the default of
      PyTorch up to 1.1, which the paper was run with; "ones" starts them at 1.
      No variant changes the default.
    dropout: The rate of the dropout between the two convolutions of a block.
    dtype: The type computed in. Parameters, statistics and logits are float32.

  References:
    He et al., Identity Mappings in Deep Residual Networks, ECCV 2016.
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    3.2.
  """

  num_classes: int
  width: int = 64
  blocks: Sequence[int] = (2, 2, 2, 2)
  variant: str = "author"
  bn_scale: str = "uniform"
  dropout: float = 0.0
  dtype: jax.typing.DTypeLike = jnp.float32

  def __post_init__(self) -> None:
    """Raises ValueError for fields that the network cannot have."""
    if self.variant not in VARIANTS:
      raise ValueError(
        f"unknown variant {self.variant!r}: choose one of "
        f"{', '.join(VARIANTS)}."
      )
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
        enters pooling, in "modern" the BatchNorm before it.
      where: `[batch]` booleans, False for padding, which is left out of the
        statistics of the batch.
    """
    mix = mix or (lambda depth, hidden: hidden)
    conv = functools.partial(
      layers.conv, init=layers.torch_uniform, dtype=self.dtype
    )
    norm_relu = functools.partial(
      layers.norm_relu,
      train=train,
      where=where,
      scale_init=layers.BN_SCALES[self.bn_scale],
      dtype=self.dtype,
    )
    x = conv(self.width, 3, name="stem")(mix(0, x))
    if self.variant == "official":
      x = norm_relu(x, name="stem_norm")
    x = mix(1, x)
    for stage, blocks in enumerate(self.blocks, start=1):
      for block in range(1, blocks + 1):
        x = PreActBlock(
          self.width * 2 ** (stage - 1),
          stride=2 if stage > 1 and block == 1 else 1,
          dropout=self.dropout,
          activated_shortcut=self.variant == "official",
          name=f"stage{stage}_block{block}",
        )(x, conv=conv, norm_relu=norm_relu, train=train)
      x = mix(stage + 1, x)
    if self.variant == "modern":
      x = norm_relu(x, name="final_norm")
    x = jnp.mean(x, axis=(1, 2))
    head = layers.dense(
      self.num_classes, x.shape[-1], dtype=self.dtype, name="head"
    )
    return head(x).astype(jnp.float32)
