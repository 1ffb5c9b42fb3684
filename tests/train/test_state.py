"""Tests of the training state."""

import chex
import jax
import jax.numpy as jnp
import optax

from mixup_jax.models import mlp
from mixup_jax.train import state as states


def test_create_starts_at_step_zero(getkey):
  model = mlp.MLP(num_classes=3, hidden=(4,))
  tx = optax.adam(1e-3)
  state = states.create(model, tx, getkey(), jnp.ones((2, 5)))
  chex.assert_type(state.step, jnp.int32)
  assert state.step == 0 and state.batch_stats == {}
  assert state.average == {}
  assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(state))
  chex.assert_trees_all_equal_structs(state.opt_state, tx.init(state.params))


def test_create_is_a_function_of_its_key(getkey):
  key, model = getkey(), mlp.MLP(num_classes=3)

  def make(k):
    return states.create(model, optax.adam(1e-3), k, jnp.ones((1, 5)))

  chex.assert_trees_all_equal(make(jax.random.clone(key)), make(key))


def test_variables_are_the_average_if_there_is_one(getkey):
  model = mlp.MLP(num_classes=3, hidden=(4,))

  def make(average):
    return states.create(
      model, optax.sgd(0.1), getkey(), jnp.ones((1, 5)), average=average
    )

  plain, averaged = make(False), make(True)
  assert plain.average == {}
  assert plain.variables() == {"params": plain.params, "batch_stats": {}}
  chex.assert_trees_all_equal(averaged.average["params"], averaged.params)
  moved = averaged._replace(params=None)
  assert moved.variables() is averaged.average
