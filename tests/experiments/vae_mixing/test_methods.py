"""Proves what each method does to a batch."""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from experiments.vae_mixing import methods

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
encode, decode = lambda x: 2 * x[:, :1], lambda code: jnp.sin(code) * jnp.ones(
    (1, 3))


def test_each_method_mixes_what_it_says(getkey):
  found = methods.all_of(encode, decode, alpha=1.0, layers=(1,))
  assert tuple(found) == methods.NAMES
  key, shown = getkey(), decode(encode(X))

  def apply(name):
    return found[name]["transform"](jax.random.clone(key), X, jnp.eye(6))

  assert found["ERM"] == {} and list(found["manifold mixup"]) == ["mix_hidden"]
  chex.assert_trees_all_equal(apply("ERM on reconstructions"),
                              (shown, jnp.eye(6)))
  mixed, share = apply(methods.INPUT)
  chex.assert_trees_all_close(mixed, share @ X, atol=1e-5)
  # The same draws: the same share of each.
  for name, expected in ((methods.RECONSTRUCTIONS, share @ shown),
                         (methods.CODES, decode(share @ encode(X)))):
    inputs, targets = apply(name)
    chex.assert_trees_all_equal(targets, share)
    chex.assert_trees_all_close(inputs, expected, atol=1e-5)


def test_pictures_go_from_the_first_to_the_second():
  shown = methods.mixtures(encode, decode, X[:2], X[2:4],
                           jnp.array([1.0, 0.5, 0.0]))
  chex.assert_shape(list(shown.values()), (2, 3, 3))
  chex.assert_trees_all_close(shown[methods.INPUT][:, 0], X[:2], atol=1e-6)
  chex.assert_trees_all_close(shown[methods.INPUT][:, 2], X[2:4], atol=1e-6)
  for name in (methods.CODES, methods.RECONSTRUCTIONS):
    chex.assert_trees_all_close(shown[name][:, 0],
                                decode(encode(X[:2])),
                                atol=1e-6)
  halves = (encode(X[:2]) + encode(X[2:4])) / 2
  chex.assert_trees_all_close(shown[methods.CODES][:, 1],
                              decode(halves),
                              atol=1e-6)
