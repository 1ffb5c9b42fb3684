"""ResNet and ResNeXt, as in the ImageNet section."""

import functools
from typing import Any, Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from mixup_jax.models import _layers as layers
from mixup_jax.models import _pool as pool

Array = jax.Array

STEMS = ("imagenet", "small")
_HE = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


class ResNet(nn.Module):
  """Bottleneck blocks, with the stride in the 3 x 3 convolution.

  Convolutions start from He's normal distribution (of the fan out), the linear
  layer from N(0, 0.01), and the BatchNorm that ends a block from a scale of 0,
  so that each block starts as its shortcut. These are the choices of Goyal et
  al., whom the paper follows.

  Attributes:
    num_classes: The number of logits.
    blocks: The number of blocks of each stage. Each further stage has twice the
      channels and half the resolution.
    width: The channels after the stem; the first stage has four times as many.
    groups: The groups of a 3 x 3 convolution: its cardinality.
    group_width: The channels of a group in the first stage.
    stem: "imagenet" is a 7 x 7 convolution and a pooling, each of stride 2;
      "small", for images of 64 pixels and less, a 3 x 3 convolution.
    bn_group_size: The rows that BatchNorm has common statistics of; 0 is all of
      the batch.
    dtype: The type computed in. Parameters, statistics and logits are float32.

  References:
    He et al., Deep residual learning for image recognition, CVPR 2016.
    Xie et al., Aggregated residual transformations for deep neural networks,
    CVPR 2017.
    Goyal et al., Accurate, large minibatch SGD, 2017, section 5.1.
    Zhang et al., ICLR 2018, section 3.1.
  """

  num_classes: int
  blocks: Sequence[int] = (3, 4, 6, 3)
  width: int = 64
  groups: int = 1
  group_width: int | None = None
  stem: str = "imagenet"
  bn_group_size: int = 0
  dtype: jax.typing.DTypeLike = jnp.float32

  def __post_init__(self) -> None:
    """Raises ValueError for fields that the network cannot have."""
    if self.stem not in STEMS:
      raise ValueError(
        f"unknown stem {self.stem!r}: choose one of {', '.join(STEMS)}."
      )
    if self.bn_group_size < 0 or self.bn_group_size == 1:
      raise ValueError(
        "bn_group_size must be at least 2, or 0 for all of the batch, got "
        f"{self.bn_group_size}: of one image there is no spread."
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
    """Returns `[batch, num_classes]` logits.

    Args:
      x: `[batch, height, width, channels]` images.
      train: Whether to use the statistics of the batch.
      mix: Called with the depth and the maps: 0 for the images, 1 for what
        enters the first stage, d + 1 after stage d.
      where: `[batch]` booleans, False for padding, which is left out of the
        statistics of the batch.
    """
    mix = mix or (lambda depth, hidden: hidden)
    conv = functools.partial(layers.conv, init=_HE, dtype=self.dtype)
    norm = functools.partial(
      GroupedBatchNorm,
      group_size=self.bn_group_size,
      use_running_average=not train,
      dtype=self.dtype,
    )
    x = mix(0, x)
    small = self.stem == "small"
    x = conv(
      self.width, 3 if small else 7, stride=1 if small else 2, name="stem"
    )(x)
    x = nn.relu(norm(name="stem_norm")(x, where))
    if not small:
      x = pool.max_pool(x, 3, 2, 1)
    x = mix(1, x)
    for stage, blocks in enumerate(self.blocks, start=1):
      inner = self.groups * (self.group_width or self.width) * 2 ** (stage - 1)
      for block in range(1, blocks + 1):
        x = Bottleneck(
          inner,
          4 * self.width * 2 ** (stage - 1),
          self.groups,
          2 if stage > 1 and block == 1 else 1,
          conv,
          norm,
          name=f"stage{stage}_block{block}",
        )(x, where)
      x = mix(stage + 1, x)
    x = jnp.mean(x, axis=(1, 2))
    x = nn.Dense(
      self.num_classes,
      kernel_init=nn.initializers.normal(0.01),
      dtype=self.dtype,
      name="head",
    )(x)
    return x.astype(jnp.float32)


class Bottleneck(nn.Module):
  """A 1 x 1, a 3 x 3 and a 1 x 1 convolution beside a shortcut.

  Attributes:
    inner: The channels of the 3 x 3 convolution.
    outer: The channels of the block.
    groups: The groups of the 3 x 3 convolution.
    stride: Its stride.
    conv: Makes a convolution.
    norm: Makes a BatchNorm.
  """

  inner: int
  outer: int
  groups: int
  stride: int
  conv: Callable[..., nn.Module]
  norm: Callable[..., nn.Module]

  @nn.compact
  def __call__(self, x: Array, where: Array | None) -> Array:
    """Returns `[batch, height / stride, width / stride, outer]` maps."""
    y = self.conv(self.inner, 1, name="conv1")(x)
    y = nn.relu(self.norm(name="norm1")(y, where))
    y = self.conv(
      self.inner, 3, stride=self.stride, groups=self.groups, name="conv2"
    )(y)
    y = nn.relu(self.norm(name="norm2")(y, where))
    y = self.conv(self.outer, 1, name="conv3")(y)
    y = self.norm(scale_init=nn.initializers.zeros, name="norm3")(y, where)
    if x.shape != y.shape:
      x = self.conv(self.outer, 1, stride=self.stride, name="shortcut")(x)
      x = self.norm(name="shortcut_norm")(x, where)
    return nn.relu(x + y)


class GroupedBatchNorm(nn.Module):
  """BatchNorm over the batch, or over groups of consecutive rows.

  The running statistics are means over the groups. Groups that lie on one
  device, such as 32 rows on each chip of a pod, need no communication.

  Attributes:
    group_size: The rows of a group, 0 for all of the batch.
    use_running_average: Whether to use the running statistics instead.
    scale_init: The initializer of the scale; the bias starts at 0.
    dtype: The type of the result.
  """

  group_size: int
  use_running_average: bool
  scale_init: Any = nn.initializers.ones
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: Array, where: Array | None = None) -> Array:
    """Returns normalized `[batch, height, width, channels]` maps."""
    batch, channels = x.shape[0], x.shape[-1]
    scale = self.param("scale", self.scale_init, (channels,))
    bias = self.param("bias", nn.initializers.zeros, (channels,))
    running = [
      self.variable("batch_stats", name, init, (channels,), jnp.float32)
      for name, init in (("mean", jnp.zeros), ("var", jnp.ones))
    ]
    size = batch if self.use_running_average else self.group_size or batch
    if batch % size:
      raise ValueError(
        f"a batch of {batch} rows has no groups of {size} for "
        "BatchNorm: change the batch or bn_group_size."
      )
    groups = x.astype(jnp.float32).reshape(-1, size, *x.shape[1:])
    if self.use_running_average:
      mean, var = (each.value[None, None, None, None] for each in running)
    else:
      mask, counted = None, None
      if where is not None:
        mask = where.reshape(-1, size, 1, 1, 1)
        counted = mask.any(axis=1, keepdims=True)
        # A group of padding alone has no statistics: it counts as zeros.
        groups = jnp.where(counted, groups, 0)
        mask |= ~counted
      over = functools.partial(
        jnp.mean, axis=(1, 2, 3), keepdims=True, where=mask
      )
      mean = over(groups)
      var = jnp.maximum(0.0, over(jnp.square(groups)) - jnp.square(mean))
      if not self.is_initializing():
        for each, new in zip(running, (mean, var)):
          of_groups = new.mean(axis=(0, 1, 2, 3), where=counted)
          each.value = 0.9 * each.value + 0.1 * of_groups
    factor = jax.lax.rsqrt(var + 1e-5) * scale[None, None, None, None]
    y = (groups - mean) * factor + bias[None, None, None, None]
    return y.reshape(x.shape).astype(self.dtype)
