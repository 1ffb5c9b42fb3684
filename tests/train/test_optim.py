"""Tests of the optimizers and schedules that configs name."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import models
from mixup_jax.train import optim
from mixup_jax.train import schedules


def test_build_adam_moves_by_the_learning_rate_in_the_first_step():
  tx = optim.build("adam", learning_rate=0.01)
  params = jnp.asarray([1.0, -2.0])
  with jax.numpy_dtype_promotion("standard"):  # As the training step does.
    update, _ = tx.update(jnp.asarray([5.0, -0.1]), tx.init(params), params)
  np.testing.assert_allclose(update, [-0.01, 0.01], rtol=1e-5)


def test_build_refuses_unknown_names_and_settings():
  with pytest.raises(
    ValueError, match="optimizer 'adamm': choose one of adam, adamw, sgd"
  ):
    optim.build("adamm")
  with pytest.raises(TypeError, match="learning_rat"):
    optim.build("adam", learning_rat=0.1)


@pytest.mark.parametrize("nesterov", (False, True))
def test_sgd_couples_the_decay_and_decays_every_parameter(nesterov):
  rate = schedules.step_decay(0.1, steps=(2,), factor=0.1)
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


def test_sgd_can_leave_biases_and_scales_undecayed():
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


def test_adamw_decouples_the_decay_and_decays_kernels_alone():
  """Compares with the update by hand, under a rate that changes."""
  rate = schedules.step_decay(0.1, steps=(2,), factor=0.1)
  tx = optim.build("adamw", learning_rate=rate, weight_decay=0.5)
  params = {
    name: jnp.asarray([[1.0, -2.0]]) for name in ("kernel", "positions")
  }
  state = tx.init(params)
  expected = {name: np.asarray(x, np.float64) for name, x in params.items()}
  mean, square = 0.0, 0.0
  for step in range(4):
    grads = jax.tree.map(lambda x: jnp.full_like(x, 3.0 + step), params)
    with jax.numpy_dtype_promotion("standard"):
      update, state = tx.update(grads, state, params)
    params = jax.tree.map(jnp.add, params, update)
    mean = 0.9 * mean + 0.1 * (3 + step)
    square = 0.999 * square + 0.001 * (3 + step) ** 2
    move = mean / (1 - 0.9 ** (step + 1))
    move /= np.sqrt(square / (1 - 0.999 ** (step + 1)))
    decay = {"kernel": 0.5, "positions": 0.0}
    expected = {
      name: x - (0.1 if step < 2 else 0.01) * (move + decay[name] * x)
      for name, x in expected.items()
    }
  chex.assert_trees_all_close(params, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ("adamw", "sgd"))
def test_build_decays_what_a_network_calls_kernels(name):
  """A zero gradient leaves the decay alone, of every layer of a ViT."""
  model = models.build("vit_s4", num_classes=2, depth=1, width=8, heads=2)
  image = jax.ShapeDtypeStruct((1, 8, 8, 3), jnp.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), image)["params"]
  tx = optim.build(name, learning_rate=1.0, weight_decay=0.5, decayed="kernels")

  @jax.jit
  def moves():
    params = jax.tree.map(lambda x: jnp.ones(x.shape, x.dtype), shapes)
    zeros = jax.tree.map(jnp.zeros_like, params)
    update, _ = tx.update(zeros, tx.init(params), params)
    return jax.tree.map(jnp.any, update)

  with jax.numpy_dtype_promotion("standard"):
    moved = jax.tree.leaves_with_path(moves())
  names = {
    jax.tree_util.keystr(path[-1:], simple=True) for path, m in moved if m
  }
  still = {
    jax.tree_util.keystr(path[-1:], simple=True) for path, m in moved if not m
  }
  assert names == {"kernel"} and still == {"bias", "positions", "scale"}


def test_build_adamw_refuses_an_unknown_kind_of_decay():
  with pytest.raises(ValueError, match="decayed must be one of all, kernels"):
    optim.build("adamw", learning_rate=1.0, decayed="kernel")


def rates(schedule, steps):
  with jax.numpy_dtype_promotion("standard"):  # As the training step does.
    return np.asarray([schedule(np.int32(step)) for step in steps])
