"""The vision transformer."""

import functools
from typing import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from mixup_jax.models import _layers as layers

Array = jax.Array

_dense = functools.partial(
  nn.Dense, kernel_init=nn.initializers.xavier_uniform()
)


class ViT(nn.Module):
  """Vision transformer; with its defaults ViT-S/4, for 32x32 images.

  Blocks are pre-LayerNorm, and position embeddings are learned. Logits come
  from the mean of all tokens and not from a class token: Beyer et al. find it
  no worse on ImageNet, and every token is a patch then, so that mixing hidden
  layers mixes nothing else. Kernels start from Xavier's uniform distribution,
  position embeddings from N(0, 0.02^2), the head and all biases at 0.

  Attributes:
    num_classes: The number of logits.
    patch_size: The height and width of the patch that becomes a token.
    depth: The number of blocks.
    width: The size of a token.
    heads: The number of heads of attention; they share the width.
    dropout: The rate of the dropout after the position embeddings, after
      attention and after both layers of the perceptron.
    dtype: The type computed in. Parameters and logits are float32.

  References:
    Dosovitskiy et al., An image is worth 16x16 words, ICLR 2021, appendix B.1.
    Touvron et al., Training data-efficient image transformers, ICML 2021, table
    1: the sizes of ViT-S.
    Beyer et al., Better plain ViT baselines for ImageNet-1k, 2022.
  """

  num_classes: int
  patch_size: int = 4
  depth: int = 12
  width: int = 384
  heads: int = 6
  dropout: float = 0.0
  dtype: jax.typing.DTypeLike = jnp.float32

  def __post_init__(self) -> None:
    """Raises ValueError for fields that the network cannot have."""
    if self.width % self.heads:
      raise ValueError(
        f"width {self.width} cannot be shared by {self.heads} heads: use a "
        f"multiple of {self.heads}."
      )
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
      x: `[batch, height, width, channels]` images, of the height and width that
        the parameters were made for.
      train: Whether to use dropout.
      mix: Called with the depth and what is there: 0 for the images, 1 for
        the `[batch, patches, width]` tokens that enter the first block, d + 1
        for those after block d.
      where: Of no effect: each example is on its own.

    Raises:
      ValueError: If patches do not fill the images.
    """
    del where
    mix = mix or (lambda depth, hidden: hidden)
    if x.shape[1] % self.patch_size or x.shape[2] % self.patch_size:
      raise ValueError(
        f"images of {x.shape[1]} x {x.shape[2]} pixels have no patches of "
        f"{self.patch_size}: change patch_size or the size of the images."
      )
    patch = (self.patch_size, self.patch_size)
    x = nn.Conv(
      self.width,
      patch,
      strides=patch,
      padding="VALID",
      dtype=self.dtype,
      name="stem",
    )(mix(0, x))
    x = x.reshape(len(x), -1, self.width)
    positions = self.param(
      "positions", nn.initializers.normal(0.02), (1, *x.shape[1:])
    )
    x = x + positions.astype(self.dtype)
    x = mix(1, nn.Dropout(self.dropout, deterministic=not train)(x))
    for block in range(1, self.depth + 1):
      x = Block(
        self.heads, self.dropout, dtype=self.dtype, name=f"block{block}"
      )(x, train=train)
      x = mix(block + 1, x)
    x = jnp.mean(_norm(x, self.dtype, "final_norm"), axis=1)
    head = nn.Dense(
      self.num_classes,
      kernel_init=nn.initializers.zeros,
      dtype=self.dtype,
      name="head",
    )
    return head(x).astype(jnp.float32)


class Block(nn.Module):
  """Self-attention and a perceptron, each after LayerNorm and with a shortcut.

  Attributes:
    heads: The number of heads.
    dropout: The rate of the dropout of each branch.
    dtype: The type computed in.
  """

  heads: int
  dropout: float
  dtype: jax.typing.DTypeLike

  @nn.compact
  def __call__(self, x: Array, *, train: bool) -> Array:
    """Returns `[batch, tokens, width]` tokens of such."""
    batch, tokens, width = x.shape
    dense = functools.partial(_dense, dtype=self.dtype)
    drop = nn.Dropout(self.dropout, deterministic=not train)
    y = _norm(x, self.dtype, "norm1")
    queries_keys_values = (
      dense(width, name=name)(y).reshape(batch, tokens, self.heads, -1)
      for name in ("query", "key", "value")
    )
    with jax.numpy_dtype_promotion("standard"):  # Its softmax is float32.
      y = jax.nn.dot_product_attention(*queries_keys_values)
    x = x + drop(dense(width, name="out")(y.reshape(x.shape)))
    y = _norm(x, self.dtype, "norm2")
    y = drop(nn.gelu(dense(4 * width, name="hidden")(y), approximate=False))
    return x + drop(dense(width, name="last")(y))


def _norm(x: Array, dtype: jax.typing.DTypeLike, name: str) -> Array:
  """Normalizes each token in float32, inside a compact module."""
  return nn.LayerNorm(name=name)(x.astype(jnp.float32)).astype(dtype)
