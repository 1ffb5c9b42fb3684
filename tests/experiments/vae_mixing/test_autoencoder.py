"""Proves that a VAE learns, and that its codes keep what it learned."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.vae_mixing import autoencoder
from mixup_jax import models


def test_training_raises_the_bound_and_codes_decode(getkey):
  """On points of a line in space, which one latent number can tell."""
  along = np.random.default_rng(0).uniform(-1, 1, (64, 1)).astype(np.float32)
  inputs = jnp.asarray(along @ np.array([[1.0, -2.0, 0.5]], np.float32))
  vae = models.VAE(shape=(3,), num_latents=1, hidden=(16,))
  tx, key, bound_key = optax.adam(1e-2), getkey(), getkey()
  train = jax.jit(lambda key, n: autoencoder.train(
      vae, tx, key, inputs, num_steps=n, batch_size=16),
                  static_argnums=1)
  bounds, params = [], None
  for count in (1, 300):
    params = train(jax.random.clone(key), count)
    bounds.append(
        autoencoder.bound(vae, params, inputs, jax.random.clone(bound_key)))
  assert bounds[1] > bounds[0] + 3
  encode, decode = autoencoder.coders(vae, params)
  chex.assert_shape(encode(inputs), (64, 1))
  error = jnp.abs(decode(encode(inputs)) - inputs).mean()
  assert error < 0.25 * np.abs(inputs).mean()
