"""Tests that a transform trains a network of each framework, step by step.

Each loop is written as its framework's guide does it, and has to have the
losses of `problem.by_hand`.
"""

import chex
import equinox as eqx
from flax import linen as nn
from flax import nnx
from flax.training import train_state
import haiku as hk
import jax
import jax.numpy as jnp
import optax

from mixup_jax import losses
from tests.interop import problem


def test_plain_jax_with_optax_trains_with_a_transform():
  tx = optax.sgd(problem.RATE)

  @jax.jit
  def train_step(params, opt_state, key, inputs, labels):
    mixed, targets = problem.transform(key, inputs, labels)
    loss, grads = jax.value_and_grad(problem.loss_fn)(params, mixed, targets)
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss

  params, found = problem.weights(), []
  opt_state = tx.init(params)
  for key in problem.keys():
    params, opt_state, loss = train_step(
      params, opt_state, key, *problem.batch()
    )
    found.append(loss)
  problem.assert_losses_are_known(found, problem.keys())


class Linen(nn.Module):
  """The network in Flax Linen."""

  @nn.compact
  def __call__(self, x):
    x = nn.tanh(nn.Dense(problem.HIDDEN, name="hidden")(x))
    return nn.Dense(problem.CLASSES, name="out")(x)


def test_flax_linen_trains_with_a_transform():
  """The key of a step is that of the run, folded with the step."""
  root = jax.random.key(5)
  state = train_state.TrainState.create(
    apply_fn=Linen().apply, params=problem.weights(), tx=optax.sgd(problem.RATE)
  )

  @jax.jit
  def train_step(state, root, inputs, labels):
    key = jax.random.fold_in(root, state.step)
    mixed, targets = problem.transform(key, inputs, labels)

    def loss_fn(params):
      logits = state.apply_fn({"params": params}, mixed)
      return losses.cross_entropy(logits, targets).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss

  found = []
  for _ in range(problem.STEPS):
    state, loss = train_step(state, jax.random.clone(root), *problem.batch())
    found.append(loss)
  steps = jnp.arange(problem.STEPS)
  keys = jax.vmap(lambda step: jax.random.fold_in(root, step))(steps)
  problem.assert_losses_are_known(found, keys)


class Nnx(nnx.Module):
  """The network in Flax NNX."""

  def __init__(self, rngs):
    self.hidden = nnx.Linear(2, problem.HIDDEN, rngs=rngs)
    self.out = nnx.Linear(problem.HIDDEN, problem.CLASSES, rngs=rngs)

  def __call__(self, x):
    return self.out(nnx.tanh(self.hidden(x)))


def test_flax_nnx_trains_with_a_transform():
  """The keys come from a stream of `nnx.Rngs`."""
  rngs = nnx.Rngs(params=0, mix=1)
  model = Nnx(rngs)
  nnx.update(model, problem.weights())
  optimizer = nnx.Optimizer(model, optax.sgd(problem.RATE), wrt=nnx.Param)

  def loss_fn(model, inputs, targets):
    return losses.cross_entropy(model(inputs), targets).mean()

  @nnx.jit
  def train_step(model, optimizer, rngs, inputs, labels):
    mixed, targets = problem.transform(rngs.mix(), inputs, labels)
    loss, grads = nnx.value_and_grad(loss_fn)(model, mixed, targets)
    optimizer.update(model, grads)
    return loss

  found = [
    train_step(model, optimizer, rngs, *problem.batch())
    for _ in range(problem.STEPS)
  ]
  stream = nnx.Rngs(mix=1)
  keys = jnp.stack([stream.mix() for _ in range(problem.STEPS)])
  problem.assert_losses_are_known(found, keys)


class Equinox(eqx.Module):
  """The network in Equinox, for one example."""

  hidden: eqx.nn.Linear
  out: eqx.nn.Linear

  def __init__(self, weights):
    def linear(layer):
      """Equinox has kernels as `[outputs, inputs]`."""
      kernel = layer["kernel"].T
      made = eqx.nn.Linear(*kernel.shape[::-1], key=jax.random.key(0))
      leaves = kernel, layer["bias"]
      return eqx.tree_at(lambda m: (m.weight, m.bias), made, leaves)

    self.hidden, self.out = linear(weights["hidden"]), linear(weights["out"])

  def __call__(self, x):
    return self.out(jnp.tanh(self.hidden(x)))


def test_equinox_trains_with_a_transform():
  model = Equinox(problem.weights())
  tx = optax.sgd(problem.RATE)
  opt_state = tx.init(eqx.filter(model, eqx.is_inexact_array))

  @eqx.filter_value_and_grad
  def loss_and_grads(model, inputs, targets):
    logits = jax.vmap(model)(inputs)
    return losses.cross_entropy(logits, targets).mean()

  @eqx.filter_jit
  def train_step(model, opt_state, transform, key, inputs, labels):
    mixed, targets = transform(key, inputs, labels)
    loss, grads = loss_and_grads(model, mixed, targets)
    updates, opt_state = tx.update(grads, opt_state)
    return eqx.apply_updates(model, updates), opt_state, loss

  found = []
  for key in problem.keys():
    model, opt_state, loss = train_step(
      model, opt_state, problem.transform, key, *problem.batch()
    )
    found.append(loss)
  problem.assert_losses_are_known(found, problem.keys())


def test_haiku_trains_with_a_transform():
  """The whole loss is transformed, and draws the key of the mix itself."""
  tx = optax.sgd(problem.RATE)

  @hk.transform
  def loss_fn(inputs, labels):
    mixed, targets = problem.transform(hk.next_rng_key(), inputs, labels)
    hidden = jnp.tanh(hk.Linear(problem.HIDDEN, name="hidden")(mixed))
    logits = hk.Linear(problem.CLASSES, name="out")(hidden)
    return losses.cross_entropy(logits, targets).mean()

  @jax.jit
  def train_step(params, opt_state, key, inputs, labels):
    loss, grads = jax.value_and_grad(loss_fn.apply)(params, key, inputs, labels)
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss

  params = {
    name: {"w": layer["kernel"], "b": layer["bias"]}
    for name, layer in problem.weights().items()
  }
  shapes = jax.eval_shape(loss_fn.init, jax.random.key(0), *problem.batch())
  chex.assert_trees_all_equal_shapes_and_dtypes(params, shapes)
  opt_state, found = tx.init(params), []
  for key in problem.keys():
    params, opt_state, loss = train_step(
      params, opt_state, key, *problem.batch()
    )
    found.append(loss)
  keys = [hk.PRNGSequence(key).take(1)[0] for key in problem.keys()]
  problem.assert_losses_are_known(found, jnp.stack(keys))
