"""Proves the losses, their signs, and who learns in an iteration."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments.gan import batches
from experiments.gan import game
from mixup_jax import models
from mixup_jax.data import toy


def rules(**changes):
  def network(outputs):
    return models.build("mlp", num_classes=outputs, hidden=(16,))

  values = game.Rules(
    generator=network(2),
    discriminator=network(1),
    tx=optax.sgd(0.1),
    draw=lambda key, count: toy.sample_gaussians(
      key, toy.GAUSSIAN_CENTERS["ring"], count
    ),
    batch=batches.apart,
    alpha=0.2,
    generator_loss=game.GENERATOR_LOSSES["saturating"],
    batch_size=8,
    discriminator_steps=3,
    num_latents=2,
  )
  return values._replace(**changes)


@pytest.mark.parametrize("name", game.GENERATOR_LOSSES)
def test_a_generator_wants_its_points_to_look_real(name):
  loss = game.GENERATOR_LOSSES[name]
  logits = jnp.array([-3.0, 0.5])
  probability = 1 / (1 + np.exp(-np.asarray(logits)))
  expected = {
    "saturating": np.log(1 - probability),
    "non_saturating": -np.log(probability),
  }[name]
  np.testing.assert_allclose(loss(logits), expected.mean(), rtol=1e-5)
  assert np.all(jax.grad(loss)(logits) < 0)


def test_where_the_discriminator_is_sure_only_one_of_them_has_a_gradient():
  slope = {
    name: float(jax.grad(loss)(jnp.array([-20.0]))[0])
    for name, loss in game.GENERATOR_LOSSES.items()
  }
  assert abs(slope["saturating"]) < 1e-8
  np.testing.assert_allclose(slope["non_saturating"], -1, rtol=1e-5)


def test_an_iteration_trains_both(getkey):
  how = rules()
  before = game.begin(how, getkey())
  after, metrics = jax.jit(lambda key, players: game.play(how, key, players))(
    getkey(), before
  )
  for old, new in zip(before, after):
    chex.assert_trees_all_equal_shapes(old, new)
    changed = jax.tree.map(
      lambda a, b: bool(jnp.any(a != b)), old.params, new.params
    )
    assert all(jax.tree.leaves(changed))
  # An untrained discriminator is unsure: about ln 2.
  np.testing.assert_allclose(metrics["loss"], np.log(2), atol=0.2)


def test_steps_of_the_discriminator_see_one_generator_and_new_points(getkey):
  seen = []

  def batch(key, draw, alpha):
    points, targets = batches.apart(key, draw, alpha)
    jax.debug.callback(lambda x: seen.append(np.asarray(x)), points)
    return points, targets

  how = rules(batch=batch, tx=optax.sgd(0.0))
  game.play(how, getkey(), game.begin(how, getkey()))
  jax.effects_barrier()
  assert len(seen) == how.discriminator_steps
  assert len({x.tobytes() for x in seen}) == how.discriminator_steps
