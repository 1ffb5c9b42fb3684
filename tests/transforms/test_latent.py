"""Tests of mixing codes, with autoencoders that are known functions."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms

BATCH = 8


def same(x):
  return x


# Codes of two numbers for inputs of three, and back: the third input is lost.
DOWN = np.array([[1, 0], [0, 2], [0, 0]], np.float32)
UP = np.array([[1, 0, 0], [0, 0.5, 0]], np.float32)
linear = {"encode": lambda x: x @ DOWN, "decode": lambda z: z @ UP}


def batch(getkey):
  return (
    jax.random.normal(getkey(), (BATCH, 3)),
    jax.random.randint(getkey(), (BATCH,), 0, 5),
  )


def both(key, first, second):
  return first(jax.random.clone(key)), second(key)


@pytest.mark.parametrize(
  "options",
  [
    {},
    {"per_example": True, "fold": True, "probability": 0.5},
    {"partner": np.arange(BATCH)[::-1]},
    {"where": np.arange(BATCH) < 5},
  ],
)
def test_latent_with_identities_equals_mixup_exactly(getkey, options):
  examples = batch(getkey)
  chex.assert_trees_all_equal(
    *both(
      getkey(),
      lambda key: transforms.latent(
        key, *examples, alpha=1.0, encode=same, decode=same, **options
      ),
      lambda key: transforms.mixup(key, *examples, alpha=1.0, **options),
    )
  )


def test_latent_with_linear_codes_is_mixup_of_reconstructions(getkey):
  inputs, labels = batch(getkey)
  mixed, expected = both(
    getkey(),
    lambda key: transforms.latent(key, inputs, labels, alpha=1.0, **linear),
    lambda key: transforms.mixup(key, inputs @ DOWN @ UP, labels, alpha=1.0),
  )
  chex.assert_trees_all_close(mixed, expected, atol=1e-6)
  assert np.abs(mixed[0][:, 2]).max() == 0 < np.abs(inputs[:, 2]).min()


def test_latent_with_nonlinear_codes_differs_from_mixup(getkey):
  """Squares of mixed roots are below mixed squares, except at lam 0 and 1."""
  inputs, labels = jnp.abs(batch(getkey)[0]), batch(getkey)[1]
  (mixed, targets), (straight, _) = both(
    getkey(),
    lambda key: transforms.latent(
      key, inputs, labels, alpha=1.0, encode=jnp.sqrt, decode=jnp.square
    ),
    lambda key: transforms.mixup(key, inputs, labels, alpha=1.0),
  )
  assert 0.01 < targets.lam[0] < 0.99
  assert np.all(mixed <= straight + 1e-6) and np.any(mixed < straight - 0.01)


def test_latent_reconstructs_unmixed_examples(getkey):
  inputs, labels = batch(getkey)
  mixed, targets = transforms.latent(
    getkey(), inputs, labels, alpha=0.0, **linear
  )
  chex.assert_trees_all_close(mixed, inputs @ DOWN @ UP)
  assert jnp.all(targets.lam == 1)
  chex.assert_trees_all_equal(targets.labels, labels)


def test_latent_returns_inputs_if_not_enabled(getkey):
  inputs, labels = batch(getkey)
  mixed, targets = transforms.latent(
    getkey(), inputs, labels, alpha=1.0, enabled=jnp.asarray(False), **linear
  )
  chex.assert_trees_all_equal(mixed, inputs)
  assert jnp.all(targets.lam == 1)


def test_latent_is_differentiable_under_jit_and_vmap(getkey):
  """Parameters of the autoencoder may be traced, and differ under vmap."""
  inputs, labels = batch(getkey)
  key = getkey()

  @functools.partial(jax.vmap, in_axes=(None, 0))
  def total(key, scale):
    transform = functools.partial(
      transforms.latent,
      alpha=1.0,
      encode=lambda x: x * scale,
      decode=lambda z: z * scale,
    )
    return transform(key, inputs, labels)[0].sum()

  scales = jnp.arange(1.0, 4.0)
  with jax.debug_key_reuse(False):
    sums, back = jax.vjp(lambda scale: jax.jit(total)(key, scale), scales)
    (slopes,) = back(jnp.ones(3))
  np.testing.assert_allclose(sums / sums[0], scales**2, rtol=1e-4)
  np.testing.assert_allclose(slopes / sums, 2 / scales, rtol=1e-4)


def test_latent_refuses_integer_codes_and_unequal_batches(getkey):
  inputs, labels = batch(getkey)
  with pytest.raises(TypeError, match="cannot interpolate int32"):
    transforms.latent(
      getkey(),
      inputs,
      labels,
      alpha=1.0,
      encode=lambda x: x.astype(jnp.int32),
      decode=same,
    )
  with pytest.raises(ValueError, match="share a leading batch axis"):
    transforms.latent(getkey(), inputs, labels[1:], alpha=1.0, **linear)
