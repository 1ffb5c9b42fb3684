"""Tests of playing games of several seeds, and of their snapshots."""

import itertools

import chex
import jax
import numpy as np
import optax
import pytest

from mixup_jax import models
from mixup_jax import sharding
from mixup_jax.data import toy
from mixup_jax.gan import losses
from mixup_jax.gan.game import Game
from mixup_jax.gan.program import iteration_numbers
from mixup_jax.gan.program import make_program

MESH = sharding.make_mesh(jax.devices()[:1])


def make(num_seeds, learning_rate=0.1, num_points=7):
  def network(outputs):
    return models.build("mlp", num_classes=outputs, hidden=(8,))

  game = Game(
    generator=network(2),
    discriminator=network(1),
    tx=optax.sgd(learning_rate),
    centers=toy.GAUSSIAN_CENTERS["grid"],
    make_batch=losses.mixed_pairs,
    alpha=0.2,
    generator_loss=losses.saturating,
    batch_size=4,
    discriminator_steps=2,
    num_latents=2,
  )
  return make_program(
    game,
    num_seeds=num_seeds,
    snapshots=(2, 3),
    num_shown=5,
    num_points=num_points,
    mesh=MESH,
  )


@pytest.fixture(scope="module")
def two():
  return make(2)


def play(program, seed, parts):
  seed = np.uint32(seed)
  state = program.init(seed)
  for first, end in parts:
    state, metrics = program.step(
      seed, state, np.arange(first, end, dtype=np.int32)
    )
  return state, metrics, program.sample(seed, state)


def test_step_in_parts_is_the_same(two):
  whole, metrics, points = play(two, 3, [(0, 4)])
  again, *_ = play(two, 3, [(0, 2), (2, 4)])
  chex.assert_trees_all_close(whole, again, atol=1e-6)
  chex.assert_shape(list(metrics.values()), (4,))
  chex.assert_shape(points, (2, 7, 2))


def test_step_of_a_seed_does_not_depend_on_the_others(two):
  together, _, points = play(two, 3, [(0, 4)])
  alone, _, own = play(make(1), 4, [(0, 4)])
  second = jax.tree.map(lambda x: x[1:], together)
  chex.assert_trees_all_close(second, alone, atol=1e-5)
  chex.assert_trees_all_close(points[1:], own, atol=1e-5)


def test_step_takes_snapshots_after_their_iterations(two):
  """Of fixed noise: the same points again if nothing had been learned."""
  seed = np.uint32(0)
  state = two.init(seed)
  assert not np.any(state.shown)
  shown = []
  for number in range(4):
    state, _ = two.step(seed, state, np.array([number], np.int32))
    shown.append(np.asarray(state.shown))
  assert not np.any(shown[0])
  assert np.any(shown[1][:, 0]) and not np.any(shown[1][:, 1])
  np.testing.assert_array_equal(shown[2][:, 0], shown[1][:, 0])
  assert np.any(shown[2][:, 1])
  np.testing.assert_array_equal(shown[3], shown[2])


def test_step_draws_new_noise_in_iterations_and_the_same_in_snapshots():
  """Of networks that do not learn, as losses and points show."""
  program = make(2, learning_rate=0.0, num_points=5)
  state, metrics, points = play(program, 3, [(0, 4)])
  assert len(set(np.asarray(metrics["loss"]).tolist())) == 4
  np.testing.assert_array_equal(state.shown[:, 0], state.shown[:, 1])
  assert np.any(points[0] != points[1])
  # And `sample` has noise of its own.
  assert np.all(np.any(state.shown[:, 0] != points, axis=(1, 2)))


def test_iteration_numbers_end_at_every_measurement():
  def take(first, every, count):
    return [
      tuple(np.asarray(x)[[0, -1]])
      for x in itertools.islice(
        iteration_numbers(MESH, first, every=every), count
      )
    ]

  assert take(0, 1000, 2) == [(0, 99), (100, 199)]
  assert take(130, 1000, 2) == [(130, 199), (200, 299)]
  assert take(0, 150, 3) == [(0, 49), (50, 99), (100, 149)]
