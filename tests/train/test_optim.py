"""Proves the optimisers that configs name."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.train import optim


def test_first_step_of_adam_is_the_learning_rate():
  tx = optim.build("adam", learning_rate=0.01)
  params = jnp.asarray([1.0, -2.0])
  with jax.numpy_dtype_promotion("standard"):  # As the training step does.
    update, _ = tx.update(jnp.asarray([5.0, -0.1]), tx.init(params), params)
  np.testing.assert_allclose(update, [-0.01, 0.01], rtol=1e-5)


def test_unknown_names_and_settings_are_refused():
  with pytest.raises(
    ValueError, match="optimizer 'adamm': choose one of adam, sgd"
  ):
    optim.build("adamm")
  with pytest.raises(TypeError, match="learning_rat"):
    optim.build("adam", learning_rat=0.1)


@pytest.mark.parametrize("nesterov", (False, True))
def test_sgd_couples_the_decay_and_decays_every_parameter(nesterov):
  rate = optim.step_decay(0.1, steps=(2,), factor=0.1)
  tx = optim.build(
    "sgd",
    learning_rate=rate,
    momentum=0.9,
    nesterov=nesterov,
    weight_decay=0.01,
  )
  params = {"kernel": jnp.asarray([1.0, -2.0]), "bias": jnp.asarray([3.0])}
  state, grads = tx.init(params), jax.tree.map(jnp.cos, params)
  expected = jax.tree.map(np.asarray, params)
  velocity = jax.tree.map(np.zeros_like, expected)
  for step in range(4):
    with jax.numpy_dtype_promotion("standard"):
      update, state = tx.update(grads, state, params)
    params = jax.tree.map(jnp.add, params, update)
    total = jax.tree.map(lambda g, w: g + 0.01 * w, grads, expected)
    velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, total)
    move = (
      velocity
      if not nesterov
      else jax.tree.map(lambda v, g: 0.9 * v + g, velocity, total)
    )
    lr = 0.1 if step < 2 else 0.01
    expected = jax.tree.map(lambda w, m: w - lr * m, expected, move)
  chex.assert_trees_all_close(params, expected, rtol=1e-6)


def test_the_learning_rate_drops_at_its_steps():
  rate = optim.step_decay(0.1, steps=(100, 150), factor=0.1)
  rates = [float(rate(step)) for step in (0, 99, 100, 149, 150, 999)]
  np.testing.assert_allclose(
    rates, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rtol=1e-5
  )


@pytest.mark.parametrize("steps", ((3, 2), (2, 2)))
def test_steps_that_do_not_rise_are_refused(steps):
  with pytest.raises(ValueError, match="do not rise: put them in order"):
    optim.step_decay(0.1, steps=steps, factor=0.1)


def test_the_decay_can_leave_out_biases_and_scales():
  tx = optim.build(
    "sgd", learning_rate=1.0, weight_decay=0.5, decayed="kernels"
  )
  params = {"kernel": jnp.ones((2, 3)), "scale": jnp.ones(3)}
  update, _ = tx.update(
    jax.tree.map(jnp.zeros_like, params), tx.init(params), params
  )
  chex.assert_trees_all_close(
    update, {"kernel": jnp.full((2, 3), -0.5), "scale": jnp.zeros(3)}
  )
  with pytest.raises(ValueError, match="decayed must be one of all, kernels"):
    optim.build("sgd", learning_rate=1.0, decayed="kernel")


def test_the_learning_rate_warms_up_in_a_line():
  rate = optim.step_decay(
    0.4, steps=(30,), factor=0.1, warmup_steps=5, warmup_from=0.1
  )
  with jax.numpy_dtype_promotion("standard"):
    rates = [float(rate(step)) for step in (0, 1, 4, 5, 29, 30)]
  np.testing.assert_allclose(
    rates, [0.1, 0.16, 0.34, 0.4, 0.4, 0.04], rtol=1e-5
  )
