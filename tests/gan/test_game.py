"""Tests of a game: its settings, and what an iteration trains."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax

from configs import gan
from mixup_jax import models
from mixup_jax.data import toy
from mixup_jax.gan import game
from mixup_jax.gan import losses


def make_game(**changes):
  def network(outputs):
    return models.build("mlp", num_classes=outputs, hidden=(16,))

  values = game.Game(
    generator=network(2),
    discriminator=network(1),
    tx=optax.sgd(0.1),
    centers=toy.GAUSSIAN_CENTERS["ring"],
    make_batch=losses.unmixed,
    alpha=0.2,
    generator_loss=losses.saturating,
    batch_size=8,
    discriminator_steps=3,
    num_latents=2,
  )
  return values._replace(**changes)


def test_make_game_has_the_settings_of_the_config():
  config = gan.get_config()
  sizes = ("batch_size", "discriminator_steps", "num_latents")
  made = game.make_game(
    "ring",
    batch="mixup",
    alpha=config.alpha,
    generator_loss="saturating",
    hidden=(64, 64),
    learning_rate=1e-3,
    **{name: config[name] for name in sizes},
  )
  assert (
    made.batch_size,
    made.discriminator_steps,
    made.alpha,
    made.num_latents,
  ) == (128, 5, 0.2, 2)
  assert made.make_batch is losses.mixed_pairs
  assert made.generator_loss is losses.saturating
  np.testing.assert_array_equal(made.centers, toy.GAUSSIAN_CENTERS["ring"])
  shapes = jax.tree.map(
    np.shape, jax.eval_shape(lambda: game.init_players(made, jax.random.key(0)))
  )

  def kernels(player):
    return [player.params[f"Dense_{i}"]["kernel"] for i in range(3)]

  assert kernels(shapes.generator) == [(2, 64), (64, 64), (64, 2)]
  assert kernels(shapes.discriminator) == [(2, 64), (64, 64), (64, 1)]


def test_iterate_trains_both(getkey):
  how = make_game()
  before = game.init_players(how, getkey())
  after, metrics = jax.jit(
    lambda key, players: game.iterate(how, key, players)
  )(getkey(), before)
  for old, new in zip(before, after):
    chex.assert_trees_all_equal_shapes(old, new)
    changed = jax.tree.map(
      lambda a, b: bool(jnp.any(a != b)), old.params, new.params
    )
    assert all(jax.tree.leaves(changed))
  # An untrained discriminator is unsure: about ln 2.
  np.testing.assert_allclose(metrics["loss"], np.log(2), atol=0.2)


def test_iterate_draws_new_points_for_each_step_of_the_discriminator(getkey):
  seen = []

  def batch(key, draw, alpha):
    assert alpha == 0.2
    points, targets = losses.unmixed(key, draw, alpha)
    jax.debug.callback(lambda x: seen.append(np.asarray(x)), points)
    return points, targets

  how = make_game(make_batch=batch, tx=optax.sgd(0.0))
  game.iterate(how, getkey(), game.init_players(how, getkey()))
  jax.effects_barrier()
  assert len(seen) == how.discriminator_steps
  assert len({x.tobytes() for x in seen}) == how.discriminator_steps


def test_iterate_trains_the_generator_against_the_new_discriminator(getkey):
  """Else its step would not depend on those of the discriminator."""
  how = make_game()
  players, key = game.init_players(how, getkey()), getkey()
  once, thrice = (
    game.iterate(
      how._replace(discriminator_steps=steps), jax.random.clone(key), players
    )[0].generator.params
    for steps in (1, 3)
  )
  kernels = [params["Dense_0"]["kernel"] for params in (once, thrice)]
  assert np.abs(kernels[0] - kernels[1]).max() > 1e-6


def test_iterate_reports_the_mean_loss_of_the_steps(getkey):
  """Of points that are all at one place, every step has the same loss."""
  how = make_game(
    tx=optax.sgd(0.0),
    make_batch=lambda key, draw, alpha: (jnp.ones((4, 2)), jnp.ones(4)),
  )
  players = game.init_players(how, getkey())
  _, metrics = game.iterate(how, getkey(), players)
  logits = how.discriminator.apply(
    {"params": players.discriminator.params}, jnp.ones((4, 2))
  )
  expected = losses.discriminator_loss(logits[:, 0], jnp.ones(4))
  np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)


def test_iterate_of_min_max_descends_minus_the_loss_of_mixed_points(getkey):
  """max over g of E l(d(lam x + (1 - lam) g(z)), lam), the paper's formula."""

  def quarter(key, draw, alpha):
    real, fake = draw(key)
    return 0.25 * real + 0.75 * fake, jnp.full(len(real), 0.25)

  how = make_game(make_batch=quarter, generator_loss=None)
  players, key = game.init_players(how, getkey()), getkey()
  _, generator_key = jax.random.split(jax.random.clone(key))
  after, metrics = game.iterate(how, key, players)
  real_key, fake_key = jax.random.split(generator_key)
  real = toy.sample_gaussians(real_key, how.centers, how.batch_size)
  noise = jax.random.normal(fake_key, (how.batch_size, 2))

  def loss(params):
    fake = how.generator.apply({"params": params}, noise)
    judge = {"params": after.discriminator.params}
    logits = how.discriminator.apply(judge, 0.25 * real + 0.75 * fake)[:, 0]
    log_p, log_q = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
    return (0.25 * log_p + 0.75 * log_q).mean()

  value, slope = jax.value_and_grad(loss)(players.generator.params)
  expected = jax.tree.map(
    lambda w, g: w - jnp.float32(0.1) * g, players.generator.params, slope
  )
  np.testing.assert_allclose(metrics["generator_loss"], value, rtol=1e-5)
  chex.assert_trees_all_close(after.generator.params, expected, atol=1e-6)


def test_make_game_of_min_max_has_no_loss_of_its_own():
  options = {"alpha": 0.2, "hidden": (8,), "learning_rate": 1e-3}
  sizes = {"batch_size": 4, "discriminator_steps": 1, "num_latents": 2}
  made = game.make_game(
    "ring", batch="mixup", generator_loss="min_max", **options, **sizes
  )
  assert made.generator_loss is None
