"""Proves that seeds are independent, and that snapshots come when due."""

import functools
import itertools

import chex
import jax
import numpy as np
import optax
import pytest

from experiments.gan import batches
from experiments.gan import game
from experiments.gan import program as programs
from mixup_jax import models
from mixup_jax import sharding
from mixup_jax.data import toy

MESH = sharding.make_mesh(jax.devices()[:1])


def make(num_seeds):
  def network(outputs):
    return models.build("mlp", num_classes=outputs, hidden=(8,))

  rules = game.Rules(
    network(2),
    network(1),
    optax.sgd(0.1),
    functools.partial(_draw),
    batches.mixed,
    0.2,
    game.GENERATOR_LOSSES["saturating"],
    4,
    2,
    2,
  )
  return programs.make_program(
    rules,
    num_seeds=num_seeds,
    snapshots=(2, 3),
    num_shown=5,
    num_points=7,
    mesh=MESH,
  )


def _draw(key, count):
  return toy.sample_gaussians(key, toy.GAUSSIAN_CENTERS["grid"], count)


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


def test_a_stop_in_between_changes_nothing(two):
  whole, metrics, points = play(two, 3, [(0, 4)])
  again, *_ = play(two, 3, [(0, 2), (2, 4)])
  chex.assert_trees_all_close(whole, again, atol=1e-6)
  chex.assert_shape(list(metrics.values()), (4,))
  chex.assert_shape(points, (2, 7, 2))


def test_a_seed_is_the_same_in_any_company(two):
  together, _, points = play(two, 3, [(0, 4)])
  alone, _, own = play(make(1), 4, [(0, 4)])
  second = jax.tree.map(lambda x: x[1:], together)
  chex.assert_trees_all_close(second, alone, atol=1e-5)
  chex.assert_trees_all_close(points[1:], own, atol=1e-5)


def test_snapshots_are_of_their_iterations(two):
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


def test_numbers_end_where_it_is_measured(two):
  def take(first, every, count):
    return [
      tuple(np.asarray(x)[[0, -1]])
      for x in itertools.islice(programs.numbers(two, first, every), count)
    ]

  assert take(0, 1000, 2) == [(0, 99), (100, 199)]
  assert take(130, 1000, 2) == [(130, 199), (200, 299)]
  assert take(0, 150, 3) == [(0, 49), (50, 99), (100, 149)]
