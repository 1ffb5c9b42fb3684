"""VGG-11 with BatchNorm, as in the speech section."""

from typing import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from mixup_jax.models import _layers as layers
from mixup_jax.models import _pool as pool

Array = jax.Array


class VGG(nn.Module):
  """Stages of 3 x 3 convolutions with BatchNorm and ReLU, each with pooling.

  Two linear layers follow without an activation between them, as in the code
  that the paper acknowledges for its baseline. Weights and biases start as in
  PyTorch.

  Attributes:
    num_classes: The number of logits.
    width: The channels of the first stage; `stages` are multiples of it.
    stages: For each stage the channels of its convolutions, over `width`.
    hidden: The width between the linear layers.
    dtype: The type computed in. Parameters, statistics and logits are float32.

  References:
    Simonyan and Zisserman, Very deep convolutional networks for large-scale
    image recognition, ICLR 2015, table 1, A; Zhang et al., ICLR 2018, section
    3.3.
  """

  num_classes: int
  width: int = 64
  stages: Sequence[Sequence[int]] = ((1,), (2,), (4, 4), (8, 8), (8, 8))
  hidden: int = 512
  dtype: jax.typing.DTypeLike = jnp.float32

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
      x: `[batch, height, width, channels]` images, of 32 x 32 at least.
      train: Whether to use the statistics of the batch.
      mix: Called with the depth and the maps: 0 for the images, d for what
        comes out of the d-th stage.
      where: `[batch]` booleans, False for padding, which is left out of the
        statistics of the batch.
    """
    mix = mix or (lambda depth, hidden: hidden)
    x = mix(0, x)
    for stage, factors in enumerate(self.stages, start=1):
      for number, factor in enumerate(factors, start=1):
        name = f"stage{stage}_conv{number}"
        x = layers.biased_conv(
          factor * self.width,
          3,
          x.shape[-1],
          padding=1,
          dtype=self.dtype,
          name=name,
        )(x)
        x = layers.norm_relu(
          x, train=train, where=where, dtype=self.dtype, name=f"{name}_norm"
        )
      x = mix(stage, pool.max_pool(x, 2, 2))
    x = x.reshape(len(x), -1)
    for name, size in (("hidden", self.hidden), ("head", self.num_classes)):
      x = layers.dense(size, x.shape[-1], dtype=self.dtype, name=name)(x)
    return x.astype(jnp.float32)
