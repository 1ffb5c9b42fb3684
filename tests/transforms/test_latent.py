"""Proves that latent mixup mixes codes, and is mixup if they are the inputs."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
LABELS = np.arange(6) % 3
same = lambda x: x


@pytest.mark.parametrize("options", [{}, {
    "per_example": True
}, {
    "where": np.array([True] * 4 + [False] * 2)
}])
def test_with_codes_that_are_the_inputs_it_is_mixup(getkey, options):
  key = getkey()
  chex.assert_trees_all_equal(
      transforms.latent(jax.random.clone(key),
                        X,
                        LABELS,
                        encode=same,
                        decode=same,
                        alpha=1.0,
                        **options),
      transforms.mixup(key, X, LABELS, alpha=1.0, **options))


def test_with_linear_coders_it_is_mixup_of_reconstructions(getkey):
  matrix = jnp.array([[1.0, 2], [0, 1], [3, 0]])
  encode, decode = lambda x: x @ matrix, lambda code: code @ matrix.T
  key = getkey()
  mixed = transforms.latent(jax.random.clone(key),
                            X,
                            LABELS,
                            encode=encode,
                            decode=decode,
                            alpha=1.0)
  expected = transforms.mixup(key, decode(encode(X)), LABELS, alpha=1.0)
  chex.assert_trees_all_close(mixed, expected, atol=1e-5)


def test_otherwise_it_is_not(getkey):
  """Between signs, a code of half a sign decodes to what is in between."""
  mixed, labels = transforms.latent(getkey(),
                                    jnp.array([[4.0], [-9.0]]),
                                    jnp.eye(2),
                                    encode=jnp.sign,
                                    decode=lambda code: code**3,
                                    alpha=1.0,
                                    partner=jnp.array([1, 0]))
  code = labels[:, 0] - labels[:, 1]
  chex.assert_trees_all_close(mixed[:, 0], code**3, atol=1e-5)


def test_not_mixed_are_reconstructions(getkey):
  decoded, labels = transforms.latent(getkey(),
                                      X,
                                      jnp.eye(6),
                                      encode=jnp.floor,
                                      decode=same,
                                      alpha=0)
  chex.assert_trees_all_equal(decoded, np.floor(X))
  chex.assert_trees_all_equal(labels, np.eye(6, dtype=np.float32))


def test_under_jit_and_vmap_it_is_the_same(getkey):
  mix = functools.partial(transforms.latent,
                          encode=jnp.sin,
                          decode=jnp.exp,
                          alpha=0.4)
  keys = jax.random.split(getkey(), 3)
  expected = [mix(jax.random.clone(k), X, LABELS) for k in keys]
  stacked = jax.tree.map(lambda *x: jnp.stack(x), *expected)
  every = jax.jit(jax.vmap(mix, in_axes=(0, None, None)))
  chex.assert_trees_all_close(every(jax.random.clone(keys), X, LABELS),
                              stacked,
                              atol=1e-5)


def test_what_is_refused(getkey):
  with pytest.raises(TypeError, match="cannot interpolate int32"):
    transforms.latent(getkey(),
                      X,
                      LABELS,
                      encode=lambda x: x.astype(np.int32),
                      decode=same,
                      alpha=1.0)
  with pytest.raises(ValueError, match="alpha"):
    transforms.latent(getkey(), X, LABELS, encode=same, decode=same, alpha=-1)
