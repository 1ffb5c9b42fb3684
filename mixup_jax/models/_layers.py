"""Layers, initializers and checks that several models share."""

import math
from typing import Any, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

Array = jax.Array
DType = jax.typing.DTypeLike
Initializer = nn.initializers.Initializer

BN_SCALES: dict[str, Initializer] = {
  "uniform": nn.initializers.uniform(scale=1.0),
  "ones": nn.initializers.ones,
}


def torch_uniform(
  key: Array,
  shape: Sequence[int],
  dtype: Any = jnp.float32,
  *,
  fan_in: int | None = None,
  **_: object,
) -> Array:
  """Draws from U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)), PyTorch's default.

  Args:
    key: A typed PRNG key, consumed.
    shape: The shape of the parameter.
    dtype: Its type.
    fan_in: The number of inputs of one output. None takes it from the shape,
      `[..., inputs, outputs]`, of a kernel.

  Returns:
    The values.
  """
  bound = (fan_in or math.prod(shape[:-1])) ** -0.5
  return jax.random.uniform(key, shape, dtype, -bound, bound)


def dense(
  features: int,
  fan_in: int,
  *,
  dtype: DType | None = None,
  name: str | None = None,
) -> nn.Dense:
  """Returns a linear layer that starts as in PyTorch, bias included."""

  def bias(key: Array, shape: Sequence[int], dtype: Any, **_: object) -> Array:
    return torch_uniform(key, shape, dtype, fan_in=fan_in)

  return nn.Dense(
    features, kernel_init=torch_uniform, bias_init=bias, dtype=dtype, name=name
  )


def conv(
  features: int,
  size: int,
  *,
  stride: int = 1,
  groups: int = 1,
  init: Initializer,
  dtype: DType,
  name: str,
) -> nn.Conv:
  """Returns a square convolution without bias, padded by half its size."""
  # Padding "SAME" is another network: with stride 2 it pads on one side only.
  return nn.Conv(
    features,
    (size, size),
    strides=stride,
    padding=size // 2,
    feature_group_count=groups,
    use_bias=False,
    kernel_init=init,
    dtype=dtype,
    name=name,
  )


def biased_conv(
  features: int,
  size: int,
  inputs: int,
  *,
  padding: int,
  dtype: DType,
  name: str,
) -> nn.Conv:
  """Returns a square convolution that starts as in PyTorch, bias included."""

  def bias(key: Array, shape: Sequence[int], dtype: Any, **_: object) -> Array:
    return torch_uniform(key, shape, dtype, fan_in=size**2 * inputs)

  return nn.Conv(
    features,
    (size, size),
    padding=padding,
    kernel_init=torch_uniform,
    bias_init=bias,
    dtype=dtype,
    name=name,
  )


def norm_relu(
  x: Array,
  *,
  train: bool,
  where: Array | None,
  scale_init: Initializer = nn.initializers.ones,
  dtype: DType,
  name: str,
) -> Array:
  """Normalizes over the batch and applies ReLU, inside a compact module.

  Under `jit` the statistics are those of the global batch, on any number of
  devices. They, their running means and the parameters are float32.

  Args:
    x: `[batch, height, width, channels]` maps.
    train: Whether to use the statistics of this batch, and update the running
      ones.
    where: `[batch]` booleans, False for rows that are not in the statistics.
    scale_init: The initializer of the scale; the bias starts at 0.
    dtype: The type of the result.
    name: The name of the layer in the module.

  Returns:
    Maps of the shape of `x`.
  """
  layer = nn.BatchNorm(
    use_running_average=not train,
    momentum=0.9,
    epsilon=1e-5,
    scale_init=scale_init,
    name=name,
  )
  mask = None if where is None else where[:, None, None, None]
  # Cast around the layer: inside it float32 statistics meet the maps, which
  # strict promotion forbids for bfloat16 ones.
  return nn.relu(layer(x.astype(jnp.float32), mask=mask).astype(dtype))


def check_dropout(rate: float) -> None:
  """Raises ValueError unless a dropout rate is in [0, 1)."""
  if not 0 <= rate < 1:
    raise ValueError(
      f"dropout must be in [0, 1), got {rate}: give the share "
      "of units to drop, such as 0.3, or 0 for none."
    )


def check_bn_scale(bn_scale: str) -> None:
  """Raises ValueError unless the name is a key of `BN_SCALES`."""
  if bn_scale not in BN_SCALES:
    raise ValueError(
      f"unknown bn_scale {bn_scale!r}: choose one of {', '.join(BN_SCALES)}."
    )


def check_depth(depth: int) -> None:
  """Raises ValueError unless a depth is 6n + 4: three stages of n blocks."""
  if depth < 10 or depth % 6 != 4:
    near = max(10, round((depth - 4) / 6) * 6 + 4)
    raise ValueError(
      f"depth must be 6n + 4 with n >= 1, got {depth}: the nearest is {near}."
    )
