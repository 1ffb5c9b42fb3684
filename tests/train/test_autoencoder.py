"""Tests of the autoencoder, which learns without labels."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mixup_jax.data import problems
from mixup_jax.data.in_memory import tables
from mixup_jax.models import vae
from mixup_jax.train import autoencoder
from mixup_jax.train import dispatch

SEEDS = np.arange(2)
MODEL = vae.VAE(shape=(4,), latent=2, hidden=(8,))


@pytest.fixture(scope="module")
def problem():
  return problems.split_table(
    tables.load("iris"), seeds=range(2), train_fraction=0.5, scaling="standard"
  )


@pytest.fixture(scope="module")
def program():
  return dispatch.make_program(autoencoder.network(MODEL, optax.adam(1e-2)))


def step(state, inputs, where):
  """Trains for a step."""
  network = autoencoder.network(MODEL, optax.adam(1e-2))
  return jax.jit(network.step)(
    jax.random.key(1), state, {"inputs": inputs, "where": where}
  )


def test_network_learns_nothing_from_padding(getkey):
  network = autoencoder.network(MODEL, optax.adam(1e-2))
  inputs, where = jax.random.normal(getkey(), (6, 4)), jnp.arange(6) < 4
  state = network.init(getkey(), inputs)
  expected = step(state, inputs, where)
  other = jnp.where(where[:, None], inputs, 5.0)
  chex.assert_trees_all_close(step(state, other, where), expected, rtol=1e-6)
  assert step(state, other, jnp.ones(6, bool))[1] > expected[1] + 1


def test_network_draws_other_codes_in_each_step(getkey):
  network = autoencoder.network(MODEL, optax.adam(1e-2))
  inputs, where = jax.random.normal(getkey(), (6, 4)), jnp.ones(6, bool)
  state = network.init(getkey(), inputs)
  later = state._replace(step=state.step + 1)
  assert step(state, inputs, where)[1] != step(later, inputs, where)[1]


def train(program, problem):
  return dispatch.train(
    program, problem, SEEDS, epochs=60, batch_size=25, steps_per_dispatch=100
  )


@pytest.fixture(scope="module")
def trained(program, problem):
  return train(program, problem)


def test_network_learns_and_is_measured_on_test_rows(problem, program, trained):
  state, loss = trained
  assert np.all(loss[:, -3:].mean(1) < loss[:, :3].mean(1) - 1)
  found = dispatch.measure(program, problem, SEEDS, state, batch_size=30)
  assert np.all(found["elbo"] < 0)
  # A bound of test rows that is near that of training rows, in nats.
  np.testing.assert_allclose(found["elbo"], -loss[:, -3:].mean(1), atol=1.5)
  assert np.all(state.params["log_sigma"] < 0)
  assert np.all(found["residual"] < 0.6 * found["power"])
  rows = problem.splits.test_rows
  for index in range(2):
    split = type(problem.splits)(*(x[index] for x in problem.splits))
    scaled = np.asarray(split.scaled(problem.features))
    np.testing.assert_allclose(
      found["power"][index], (scaled[rows[index]] ** 2).sum(1).mean(), rtol=1e-5
    )


def test_network_does_not_see_labels(problem, program, trained):
  others = problem._replace(labels=np.zeros_like(problem.labels))
  again, _ = train(program, others)
  chex.assert_trees_all_equal(again.params, trained[0].params)
