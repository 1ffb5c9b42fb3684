"""Tests of the variational autoencoder."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.models import vae


def test_vae_bound_is_below_the_evidence_of_a_linear_gaussian(getkey):
  """One code z ~ N(0, 1), x = z + N(0, 1): x ~ N(0, 2), posterior N(x/2, 1/2).

  With the true posterior the bound is the evidence; with another it is less by
  the divergence between the two.
  """
  model = vae.VAE(shape=(1,), latent=1, hidden=())

  def bound(slope, log_variance):
    params = {
      "head": {
        "kernel": jnp.array([[slope, 0.0]]),
        "bias": jnp.array([0.0, log_variance]),
      },
      "tail": {"kernel": jnp.ones((1, 1)), "bias": jnp.zeros(1)},
      "log_sigma": jnp.zeros(()),
    }
    x = jnp.full((100_000, 1), 1.5)
    return float(model.apply({"params": params}, x, getkey()).mean())

  evidence = -(1.5**2) / 4 - np.log(4 * np.pi) / 2
  np.testing.assert_allclose(bound(0.5, np.log(0.5)), evidence, atol=0.01)
  # KL(N(m, s) || N(.75, .5)) for the mean 1.5 and the variance 1.
  divergence = (0.75**2 / 0.5 + 2 - 1 - np.log(2)) / 2
  np.testing.assert_allclose(bound(1.0, 0.0), evidence - divergence, atol=0.02)


@pytest.mark.parametrize(
  "shape, channels",
  [((5,), ()), ((4, 4, 1), ()), ((8, 12, 3), (4, 6)), ((8, 8, 1), (4,))],
)
def test_vae_shapes(getkey, shape, channels):
  model = vae.VAE(shape=shape, latent=2, hidden=(7,), channels=channels)
  x = jnp.zeros((2, *shape))
  variables = jax.eval_shape(model.init, getkey(), x, getkey())

  def of(method, y):
    return jax.eval_shape(
      functools.partial(model.apply, method=method), variables, y
    )

  assert [m.shape for m in of("encode", x)] == [(2, 2), (2, 2)]
  assert of("decode", jnp.zeros((2, 2))).shape == x.shape
  assert of("reconstruct", x).shape == x.shape
  assert jax.eval_shape(model.apply, variables, x, getkey()).shape == (2,)


def test_vae_refuses_sizes_that_cannot_be_halved():
  with pytest.raises(ValueError, match=r"\(6, 6, 3\) do not allow"):
    vae.VAE(shape=(6, 6, 3), channels=(4, 4))
  with pytest.raises(ValueError, match=r"\(8,\) do not allow"):
    vae.VAE(shape=(8,), channels=(4,))
