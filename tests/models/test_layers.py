"""Tests of the layers and initializers that models share."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.models import _layers as layers


class Norm(nn.Module):
  """One layer, as `norm_relu` needs a module around it."""

  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x, *, train, where=None):
    return layers.norm_relu(
      x, train=train, where=where, dtype=self.dtype, name="norm"
    )


@pytest.mark.parametrize("shape, fan_in", (((30, 40), 30), ((3, 3, 8, 40), 72)))
def test_torch_uniform_kernels_stay_within_one_over_root_fan_in(
  getkey, shape, fan_in
):
  values = layers.torch_uniform(getkey(), shape) * fan_in**0.5
  assert 0.99 < jnp.abs(values).max() <= 1
  assert abs(values.mean()) < 0.1
  assert abs(values.std() - 3**-0.5) < 0.03


def test_dense_bias_starts_within_one_over_root_fan_in(getkey):
  layer = layers.dense(500, 16)
  params = layer.init(getkey(), jnp.ones((1, 16)))["params"]
  chex.assert_shape(params["bias"], (500,))
  assert 0.24 < jnp.abs(params["bias"]).max() <= 0.25
  assert 0.24 < jnp.abs(params["kernel"]).max() <= 0.25


@pytest.mark.parametrize("size, stride", ((1, 1), (1, 2), (3, 1), (3, 2)))
def test_conv_equals_one_by_hand(getkey, size, stride):
  """Padded by half the size on both sides, also where stride is 2."""
  x = jax.random.normal(getkey(), (1, 6, 6, 2))
  layer = layers.conv(
    4,
    size,
    stride=stride,
    init=layers.torch_uniform,
    dtype=jnp.float32,
    name="conv",
  )
  variables = layer.init(getkey(), x)
  (kernel,) = jax.tree.leaves(variables)  # And no bias.
  pad = size // 2
  padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
  expected = np.zeros((1, 6 // stride, 6 // stride, 4))
  for i in range(6 // stride):
    for j in range(6 // stride):
      patch = padded[0, i * stride :, j * stride :][:size, :size]
      expected[0, i, j] = np.tensordot(patch, kernel, axes=3)
  chex.assert_trees_all_close(
    layer.apply(variables, x), jnp.float32(expected), atol=1e-5
  )


def test_norm_relu_equals_one_by_hand(getkey):
  x = np.asarray(3 + 2 * jax.random.normal(getkey(), (4, 5, 6, 2)))
  variables = Norm().init(getkey(), x, train=False)
  y, updates = Norm().apply(variables, x, train=True, mutable=["batch_stats"])
  mean, var = np.mean(x, axis=(0, 1, 2)), np.var(x, axis=(0, 1, 2))
  expected = np.maximum(0, (x - mean) / np.sqrt(var + 1e-5))
  chex.assert_trees_all_close(y, jnp.asarray(expected), atol=1e-5)
  stats = updates["batch_stats"]["norm"]
  chex.assert_trees_all_close(
    stats, {"mean": 0.1 * mean, "var": 0.9 + 0.1 * var}, rtol=1e-4
  )
  y = Norm().apply({**variables, **updates}, x, train=False)
  mean, var = np.asarray(stats["mean"]), np.asarray(stats["var"])
  expected = np.maximum(0, (x - mean) / np.sqrt(var + 1e-5))
  chex.assert_trees_all_close(y, jnp.asarray(expected), atol=1e-5)


def test_norm_relu_leaves_padding_out_of_the_statistics(getkey):
  x = jax.random.normal(getkey(), (3, 4, 4, 2))
  padded = jnp.concatenate((x, jnp.full((2, 4, 4, 2), jnp.nan)))
  where = jnp.arange(5) < 3
  variables = Norm().init(getkey(), x, train=False)
  y, updates = Norm().apply(variables, x, train=True, mutable=["batch_stats"])
  padded_y, padded_updates = Norm().apply(
    variables, padded, train=True, where=where, mutable=["batch_stats"]
  )
  chex.assert_trees_all_close(padded_y[:3], y, rtol=1e-5, atol=1e-6)
  chex.assert_trees_all_close(padded_updates, updates, rtol=1e-5)


def test_norm_relu_statistics_of_bfloat16_maps_are_float32(getkey):
  """The mean of these, 256.4, is not a bfloat16 number, and 256 is."""
  x = jnp.where(jnp.arange(640) % 5 == 0, 258, 256).astype(jnp.bfloat16)
  x = x.reshape(10, 8, 8, 1)
  norm = Norm(dtype=jnp.bfloat16)
  variables = norm.init(getkey(), x, train=False)
  y, updates = norm.apply(variables, x, train=True, mutable=["batch_stats"])
  assert y.dtype == jnp.bfloat16
  chex.assert_type(jax.tree.leaves((variables, updates)), jnp.float32)
  mean = updates["batch_stats"]["norm"]["mean"]
  chex.assert_trees_all_close(mean, jnp.asarray([25.64]), rtol=1e-5)


@pytest.mark.parametrize("name, low, high", (("uniform", 0, 1), ("ones", 1, 1)))
def test_norm_relu_scales_start_as_named(getkey, name, low, high):
  scale = layers.BN_SCALES[name](getkey(), (500,))
  assert abs(scale.min() - low) < 0.02 and abs(scale.max() - high) < 0.02
  assert abs(scale.mean() - (low + high) / 2) < 0.05


@pytest.mark.parametrize("rate", (-0.1, 1.0, float("nan")))
def test_check_dropout_refuses_rates_out_of_range(rate):
  with pytest.raises(ValueError, match=rf"\[0, 1\), got {rate}: give"):
    layers.check_dropout(rate)
  layers.check_dropout(0.0)


def test_check_bn_scale_refuses_unknown_names():
  with pytest.raises(ValueError, match="bn_scale 'one': choose one of uniform"):
    layers.check_bn_scale("one")


@pytest.mark.parametrize("depth, near", ((27, 28), (4, 10), (0, 10), (18, 16)))
def test_check_depth_refuses_depths_that_do_not_fit(depth, near):
  with pytest.raises(ValueError, match=f"got {depth}: the nearest is {near}"):
    layers.check_depth(depth)
  layers.check_depth(near)
