"""Tests that a transform trains a network in every kind of loop.

Each loop has to have the losses of `problem.by_hand`.
"""

import functools

from flax.training import dynamic_scale
import jax
import jax.numpy as jnp
import numpy as np

from tests.interop import problem

value_and_grad = jax.value_and_grad(problem.loss_fn)


def losses_of(train_step, keys):
  """Returns the losses of `(weights, key, inputs, labels)`, step by step."""
  weights, found, batch = problem.weights(), [], problem.batch()
  for key in keys:
    weights, loss = jax.jit(train_step)(weights, key, *batch)
    found.append(loss)
  return found


def plain_step(weights, key, inputs, labels):
  mixed, targets = problem.transform(key, inputs, labels)
  loss, grads = value_and_grad(weights, mixed, targets)
  return problem.descend(weights, grads), loss


def test_legacy_keys_give_the_losses_of_typed_keys():
  legacy = jax.random.split(jax.random.PRNGKey(3), problem.STEPS)
  assert legacy.dtype == jnp.uint32
  found = losses_of(plain_step, legacy)
  problem.assert_losses_are_known(found, problem.keys())


def test_scan_over_steps_gives_the_losses_of_a_python_loop():
  @jax.jit
  def run(weights, keys, inputs, labels):
    step = functools.partial(plain_step, inputs=inputs, labels=labels)
    return jax.lax.scan(step, weights, keys)[1]

  found = run(problem.weights(), problem.keys(), *problem.batch())
  problem.assert_losses_are_known(found, problem.keys())


def test_accumulated_gradients_are_those_of_the_batch():
  """A batch is mixed once, then cut: partners lie in other micro-batches."""
  parts = 4

  def train_step(weights, key, inputs, labels):
    batch = problem.transform(key, inputs, labels)
    micro_batches = jax.tree.map(
      lambda x: x.reshape(parts, -1, *x.shape[1:]), batch
    )

    def add(total, micro_batch):
      made = value_and_grad(weights, *micro_batch)
      return jax.tree.map(lambda x, y: x + y / parts, total, made), None

    zero = jnp.float32(0), jax.tree.map(jnp.zeros_like, weights)
    (loss, grads), _ = jax.lax.scan(add, zero, micro_batches)
    return problem.descend(weights, grads), loss

  found = losses_of(train_step, problem.keys())
  problem.assert_losses_are_known(found, problem.keys())


def test_checkpoint_recomputes_the_same_mix():
  """The transform is within what the backward pass computes again."""

  @jax.checkpoint
  def loss_fn(weights, key, inputs, labels):
    return problem.loss_fn(weights, *problem.transform(key, inputs, labels))

  def train_step(weights, key, inputs, labels):
    loss, grads = jax.value_and_grad(loss_fn)(weights, key, inputs, labels)
    return problem.descend(weights, grads), loss

  found = losses_of(train_step, problem.keys())
  problem.assert_losses_are_known(found, problem.keys())


def test_mixed_precision_with_loss_scaling_trains_with_a_transform():
  """Steps whose scaled gradients overflow in float16 change no weight."""
  to_half = functools.partial(jax.tree.map, lambda x: x.astype(jnp.float16))

  def train_step(state, key, inputs, labels):
    weights, scale = state
    mixed, targets = problem.transform(key, to_half(inputs), labels)
    assert mixed.dtype == jnp.float16

    def loss_fn(weights):
      return problem.loss_fn(to_half(weights), mixed, targets)

    scale, is_finite, loss, grads = scale.value_and_grad(loss_fn)(weights)
    after = problem.descend(weights, grads)
    keep = functools.partial(jnp.where, is_finite)
    return (jax.tree.map(keep, after, weights), scale), (loss, is_finite)

  @jax.jit
  def run(weights, keys, inputs, labels):
    scale = dynamic_scale.DynamicScale(scale=jnp.float32(2**24))
    step = functools.partial(train_step, inputs=inputs, labels=labels)
    return jax.lax.scan(step, (weights, scale), keys)[1]

  found, is_finite = run(problem.weights(), problem.keys(), *problem.batch())
  skipped = int(np.argmax(is_finite))
  assert skipped > 0 and np.all(is_finite[skipped:])
  problem.assert_losses_are_known(
    found[skipped:], problem.keys()[skipped:], atol=5e-4
  )


def test_distillation_teaches_the_answers_to_mixed_inputs():
  teacher = np.asarray([[2.0, -1.0], [-1.0, 1.0]], np.float32)

  def train_step(weights, key, inputs, labels):
    mixed, _ = problem.transform(key, inputs, labels)
    targets = jax.nn.softmax(mixed @ teacher)
    loss, grads = value_and_grad(weights, mixed, targets)
    return problem.descend(weights, grads), loss

  found = losses_of(train_step, problem.keys())
  problem.assert_losses_are_known(found, problem.keys(), teacher=teacher)
