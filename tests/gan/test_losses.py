"""Tests of the losses of a GAN, with ERM and with both mixups."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.gan import losses

SIZE = 400


def draw(key):
  """Returns real points at (1, y) and generated ones at (0, y); y is random."""
  kinds = jnp.array([1.0, 0.0])
  y = jax.random.uniform(key, (2, SIZE))
  x = jnp.broadcast_to(kinds[:, None], (2, SIZE))
  real, fake = jnp.stack([x, y], -1)
  return real, fake


@pytest.mark.parametrize("name", losses.DISCRIMINATOR_BATCHES)
def test_discriminator_batches_have_the_share_that_is_real_as_target(
  name, getkey
):
  """The first coordinate is 1 for real and 0 for fake: mixed, it is lam."""
  points, targets = losses.DISCRIMINATOR_BATCHES[name](getkey(), draw, 0.2)
  size = SIZE if name == "mixup" else 2 * SIZE
  chex.assert_shape((points, targets), [(size, 2), (size,)])
  chex.assert_trees_all_close(points[:, 0], targets, atol=1e-6)


def test_unmixed_keeps_real_and_generated_points(getkey):
  key = getkey()
  points, targets = losses.unmixed(jax.random.clone(key), draw, 0.2)
  real, fake = draw(key)
  chex.assert_trees_all_equal(points, jnp.concatenate([real, fake]))
  assert set(np.asarray(targets)) == {0.0, 1.0} and targets.mean() == 0.5


def test_mixed_pairs_draws_lam_from_beta(getkey):
  _, targets = losses.mixed_pairs(getkey(), draw, 0.2)
  # Beta(0.2, 0.2): mean 1/2, variance 1 / (4 (2 alpha + 1)).
  np.testing.assert_allclose(targets.mean(), 0.5, atol=0.08)
  np.testing.assert_allclose(targets.var(), 1 / 5.6, atol=0.02)


def test_mixed_batches_mixes_any_two_points_and_little(getkey):
  _, targets = losses.mixed_batches(getkey(), draw, 0.2)
  # Real with real, and fake with fake: a half of the pairs.
  same = np.isclose(targets, 0, atol=1e-6) | np.isclose(targets, 1, atol=1e-6)
  np.testing.assert_allclose(same.mean(), 0.5, atol=0.07)
  # lam or 1 - lam, of U(0, 0.2), and never in between.
  away = np.minimum(targets, 1 - targets)[~same]
  assert away.max() <= 0.2
  np.testing.assert_allclose(away.mean(), 0.1, atol=0.012)


def test_mixed_batches_without_alpha_is_erm(getkey):
  _, targets = losses.mixed_batches(getkey(), draw, 0.0)
  assert set(np.asarray(targets)) == {0.0, 1.0} and targets.mean() == 0.5


def test_discriminator_loss_is_lowest_at_the_target():
  targets = jnp.array([0.3, 0.9])
  logits = jnp.log(targets / (1 - targets))
  loss = losses.discriminator_loss(logits, targets)
  p = np.array([0.3, 0.9])
  entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean()
  np.testing.assert_allclose(loss, entropy, rtol=1e-5)
  slope = jax.grad(losses.discriminator_loss)(logits, targets)
  chex.assert_trees_all_close(slope, jnp.zeros(2), atol=1e-6)


def test_saturating_is_minus_the_loss_of_the_discriminator():
  logits = jnp.array([-3.0, 0.5])
  own = losses.discriminator_loss(logits, jnp.zeros(2))
  np.testing.assert_allclose(losses.saturating(logits), -own, rtol=1e-6)


@pytest.mark.parametrize("name", ("saturating", "non_saturating"))
def test_generator_losses_fall_as_points_look_real(name):
  loss = losses.GENERATOR_LOSSES[name]
  logits = jnp.array([-3.0, 0.5])
  probability = 1 / (1 + np.exp(-np.asarray(logits)))
  expected = {
    "saturating": np.log(1 - probability),
    "non_saturating": -np.log(probability),
  }[name]
  np.testing.assert_allclose(loss(logits), expected.mean(), rtol=1e-5)
  assert np.all(jax.grad(loss)(logits) < 0)


def test_non_saturating_alone_has_a_gradient_at_a_sure_discriminator():
  slope = {
    name: float(jax.grad(loss)(jnp.array([-20.0]))[0])
    for name, loss in losses.GENERATOR_LOSSES.items()
    if loss
  }
  assert abs(slope["saturating"]) < 1e-8
  np.testing.assert_allclose(slope["non_saturating"], -1, rtol=1e-5)


def test_mixed_batches_draws_two_batches(getkey):
  drawn = []

  def draw(key):
    drawn.append(jax.random.key_data(key).tolist())
    return jnp.zeros((4, 2)), jnp.ones((4, 2))

  losses.mixed_batches(getkey(), draw, 0.2)
  assert len(drawn) == 2 and drawn[0] != drawn[1]
