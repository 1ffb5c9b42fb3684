"""Proves the bound against one that can be computed, and the shapes."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from mixup_jax import models


def apply(vae, variables, *arguments, method=None):
  return vae.apply(variables, *arguments, method=method)


@pytest.mark.parametrize("shape, channels", [((5,), ()), ((8, 4, 3), (6,)),
                                             ((8, 8, 1), (4, 6))])
def test_shapes(shape, channels, getkey):
  vae = models.VAE(shape=shape, num_latents=2, hidden=(7,), channels=channels)
  x = jnp.ones((3, *shape))
  variables = jax.eval_shape(vae.init, getkey(), x, getkey())
  mean, log_variance = jax.eval_shape(
      lambda v: apply(vae, v, x, method="encode"), variables)
  chex.assert_shape([mean, log_variance], (3, 2))
  decoded = jax.eval_shape(
      lambda v: apply(vae, v, jnp.ones((3, 2)), method="decode"), variables)
  chex.assert_shape(decoded, (3, *shape))


def test_the_bound_is_that_of_its_parts(getkey):
  """Against normal densities of scipy, on the code that was drawn."""
  vae = models.VAE(shape=(3,), num_latents=2, hidden=(4,))
  x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
  variables = vae.init(getkey(), x, getkey())
  variables = {"params": {**variables["params"], "log_std": jnp.float32(-0.3)}}
  key = getkey()
  bound = apply(vae, variables, x, jax.random.clone(key))
  mean, log_variance = apply(vae, variables, x, method="encode")
  std = np.exp(log_variance / 2)
  code = mean + std * jax.random.normal(key, mean.shape)
  decoded = apply(vae, variables, code, method="decode")
  likelihood = scipy.stats.norm.logpdf(x, decoded, np.exp(-0.3)).sum(1)
  divergence = (np.square(mean) + std**2 - 1 - 2 * np.log(std)).sum(1) / 2
  chex.assert_trees_all_close(bound, likelihood - divergence, rtol=1e-4)


def test_sizes_that_cannot_be_halved(getkey):
  vae = models.VAE(shape=(6, 6, 1), num_latents=2, channels=(2, 2))
  with pytest.raises(ValueError, match="2 convolutions of stride 2 cannot"):
    jax.eval_shape(vae.init, getkey(), jnp.ones((1, 6, 6, 1)), getkey())
