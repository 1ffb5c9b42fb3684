"""Proves what a discriminator is given, with ERM and with both mixups."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.gan import batches

SIZE = 400


def draw(key):
  """Returns real points at (1, y) and fake ones at (0, y); y is random."""
  kinds = jnp.array([1.0, 0.0])
  y = jax.random.uniform(key, (2, SIZE))
  x = jnp.broadcast_to(kinds[:, None], (2, SIZE))
  real, fake = jnp.stack([x, y], -1)
  return real, fake


@pytest.mark.parametrize("name", batches.BATCHES)
def test_targets_are_the_share_of_the_real(name, getkey):
  """The first coordinate is 1 for real and 0 for fake: mixed, it is lam."""
  points, targets = batches.BATCHES[name](getkey(), draw, 0.2)
  size = SIZE if name == "mixup" else 2 * SIZE
  chex.assert_shape((points, targets), [(size, 2), (size,)])
  chex.assert_trees_all_close(points[:, 0], targets, atol=1e-6)


def test_erm_keeps_them_apart(getkey):
  key = getkey()
  points, targets = batches.apart(jax.random.clone(key), draw, 0.2)
  real, fake = draw(key)
  chex.assert_trees_all_equal(points, jnp.concatenate([real, fake]))
  assert set(np.asarray(targets)) == {0.0, 1.0} and targets.mean() == 0.5


def test_the_formula_mixes_one_real_with_one_fake(getkey):
  _, targets = batches.mixed(getkey(), draw, 0.2)
  # Beta(0.2, 0.2): mean 1/2, variance 1 / (4 (2 alpha + 1)).
  np.testing.assert_allclose(targets.mean(), 0.5, atol=0.08)
  np.testing.assert_allclose(targets.var(), 1 / 5.6, atol=0.02)


def test_the_code_mixes_any_with_any_and_little(getkey):
  _, targets = batches.mixed_batches(getkey(), draw, 0.2)
  # Real with real, and fake with fake: a half of the pairs.
  same = np.isclose(targets, 0, atol=1e-6) | np.isclose(targets, 1, atol=1e-6)
  np.testing.assert_allclose(same.mean(), 0.5, atol=0.07)
  # lam or 1 - lam, of U(0, 0.2), and never in between.
  away = np.minimum(targets, 1 - targets)[~same]
  assert away.max() <= 0.2
  np.testing.assert_allclose(away.mean(), 0.1, atol=0.012)


def test_without_alpha_the_code_is_erm(getkey):
  _, targets = batches.mixed_batches(getkey(), draw, 0.0)
  assert set(np.asarray(targets)) == {0.0, 1.0} and targets.mean() == 0.5
