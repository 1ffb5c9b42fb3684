"""Tests of max pooling."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.models import _pool as pool

WINDOWS = [(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0)]


def _maps(dtype=jnp.float32):
  """Returns whole numbers, of which many windows have several largest."""
  drawn = np.random.default_rng(0).integers(-2, 3, (2, 9, 12, 3))
  return jnp.asarray(drawn, dtype)


def _gradient(pooled, x):
  """Returns the gradient of a sum in which each window counts differently."""
  value, pull_back = jax.vjp(pooled, x)
  return pull_back(jnp.arange(1.0, 1 + value.size).reshape(value.shape))[0]


def _of_flax(size, stride, padding):
  pads = ((padding, padding),) * 2
  return lambda x: nn.max_pool(x, (size, size), (stride, stride), pads)


@pytest.mark.parametrize("windows", WINDOWS)
def test_max_pool_gradient_goes_where_that_of_flax_goes(windows):
  def ours(x):
    return pool.max_pool(x, *windows)

  theirs = _of_flax(*windows)
  x = _maps()
  chex.assert_trees_all_equal(ours(x), theirs(x))
  expected = _gradient(theirs, x)
  chex.assert_trees_all_equal(_gradient(ours, x), expected)
  chex.assert_trees_all_equal(
    jax.jit(lambda x: _gradient(ours, x))(x), expected
  )


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (0, 4)])
def test_max_pool_refuses_maps_without_a_window(shape):
  x = jnp.zeros((2, *shape, 3))
  message = (
    f"maps of {shape[0]} x {shape[1]} are smaller than a window of 2 x 2"
  )
  for function in (
    pool.max_pool,
    jax.jit(pool.max_pool, static_argnums=(1, 2)),
  ):
    with pytest.raises(ValueError, match=message):
      function(x, 2, 2)
  with pytest.raises(ValueError, match=message):
    jax.grad(lambda x: pool.max_pool(x, 2, 2).sum())(x)
  assert pool.max_pool(x, 2, 2, 1).shape[1] == shape[0] // 2 + 1


def test_max_pool_bfloat16_gradient_of_its_dtype():
  def total(x):
    return pool.max_pool(x, 2, 2).astype(jnp.float32).sum()

  grads = jax.grad(total)(_maps(jnp.bfloat16))
  chex.assert_type(grads, jnp.bfloat16)
  assert float(grads.sum()) == 2 * 4 * 6 * 3  # 1 for each window.


def test_max_pool_vmapped_equals_one_by_one():
  x = jnp.stack([_maps(), -_maps()])
  of_one = jax.grad(lambda x: jnp.square(pool.max_pool(x, 3, 2, 1)).sum())
  chex.assert_trees_all_equal(
    jax.vmap(of_one)(x), jnp.stack([of_one(x[0]), of_one(x[1])])
  )


def test_max_pool_gradient_on_an_accelerator_is_xlas_own():
  grad = jax.jit(jax.grad(lambda x: pool.max_pool(x, 2, 2).sum()))
  program = {
    platform: grad.trace(_maps())
    .lower(lowering_platforms=(platform,))
    .as_text()
    for platform in ("cpu", "tpu", "cuda")
  }
  has = {name: "select_and_scatter" in text for name, text in program.items()}
  assert has == {"cpu": False, "tpu": True, "cuda": True}
