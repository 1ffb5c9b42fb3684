"""Tests of the steps of a trial against a loop of single steps."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mixup_jax import losses
from mixup_jax import transforms
from mixup_jax.data import problems
from mixup_jax.data.in_memory import order
from mixup_jax.data.in_memory import tables
from mixup_jax.models import mlp
from mixup_jax.train import rngs
from mixup_jax.train import state as states
from mixup_jax.train import step as steps
from mixup_jax.train import trial as trials
from tests import every_transform

MODEL = mlp.MLP(num_classes=3, hidden=(8,))
TX = optax.adam(1e-2)
BATCH, EPOCHS = 16, 3
STEPS = 5  # 75 rows: of the last batch 5 rows are padding.


@pytest.fixture(scope="module")
def trial():
  problem = problems.split_table(
    tables.load("iris"), seeds=[3], train_fraction=0.5, scaling="min_max"
  )
  one = jax.tree.map(lambda x: jnp.asarray(x[0]), problem.splits)
  data = jnp.asarray(problem.features), jnp.asarray(problem.labels)
  return trials.Trial(jnp.uint32(3), one, *data)


@functools.cache
def draw_plan():
  return jax.jit(
    functools.partial(trials.draw_plan, batch_size=BATCH, epochs=EPOCHS)
  )


def network(transform, **options):
  return trials.classifier(MODEL, TX, transform=lambda _: transform, **options)


def test_draw_plan_has_every_row_once_an_epoch(trial):
  plan = jax.device_get(draw_plan()(trial))
  chex.assert_shape(plan.step, (EPOCHS, STEPS))
  chex.assert_shape([plan.rows, plan.where], (EPOCHS, STEPS, BATCH))
  np.testing.assert_array_equal(plan.step.ravel(), range(EPOCHS * STEPS))
  for epoch in range(EPOCHS):
    rows = plan.rows[epoch][plan.where[epoch]]
    np.testing.assert_array_equal(np.sort(rows), range(75))
    key = rngs.stream(jax.random.key(3), "order", epoch)
    expected = order.epoch_rows(key, 75, batch_size=BATCH)
    chex.assert_trees_all_equal(
      (plan.rows[epoch], plan.where[epoch]), jax.device_get(expected)
    )


def test_draw_batch_returns_scaled_training_rows(trial):
  plan = jax.tree.map(lambda x: x[0, -1], draw_plan()(trial))
  batch = trials.draw_batch(network(None), plan, (), trial)
  rows = np.asarray(trial.split.train_rows)[np.asarray(plan.rows)]
  scaled = trial.split.scaled(trial.features)
  np.testing.assert_allclose(batch["inputs"], scaled[rows], rtol=1e-6)
  np.testing.assert_array_equal(batch["targets"], trial.labels[rows])
  np.testing.assert_array_equal(batch["where"], plan.where)
  assert not plan.where.all()


def test_draw_batch_mixes_between_plain_and_mixed_steps(trial):
  """It is given the options of the run, and switched by the step."""
  made = network(None, num_plain_steps=2, num_mixed_steps=4)._replace(
    transform=lambda alpha: functools.partial(transforms.mixup, alpha=alpha)
  )
  draw = jax.jit(
    lambda step, alpha: (
      trials.draw_batch(
        made,
        trials.Plan(step, jnp.arange(BATCH), jnp.ones(BATCH, bool)),
        alpha,
        trial,
      )["targets"].lam
    )
  )
  for step in range(6):
    lam = draw(jnp.int32(step), jnp.float32(1))
    assert bool((lam == 1).all()) == (step not in (2, 3))
    assert (draw(jnp.int32(step), jnp.float32(0)) == 1).all()


def test_draw_batch_depends_on_seed_and_step(trial):
  made = network(functools.partial(transforms.mixup, alpha=1.0))
  plan = jax.tree.map(lambda x: x[0], draw_plan()(trial))

  @jax.jit
  def lams(trial):
    draw = functools.partial(trials.draw_batch, made, options=(), trial=trial)
    return jax.vmap(draw)(plan)["targets"].lam[:, 0]

  found = np.concatenate([lams(trial), lams(trial._replace(seed=4))])
  assert len(set(found.tolist())) == 2 * STEPS


def plain_batch(transform, plan, trial):
  """Transforms the batch of one step, never switched, with the key of it."""
  rows = trial.split.train_rows[plan.rows]
  inputs = trial.split.scaled(trial.features)[rows]
  root = jax.random.key(3)
  return transforms.as_transform(transform)(
    rngs.stream(root, "mix", plan.step),
    inputs,
    trial.labels[rows],
    where=plan.where,
  )


@pytest.mark.parametrize("name", every_transform.TRANSFORMS)
def test_draw_batch_of_many_steps_is_that_of_each_step(trial, name):
  """All draws of an epoch at once, padding included, and a traced switch."""
  transform = every_transform.TRANSFORMS[name]
  plan = jax.tree.map(lambda x: x[0], draw_plan()(trial))
  draw = functools.partial(
    trials.draw_batch, network(transform), options=(), trial=trial
  )
  # JAX takes the branches of a vmapped switch to use a key twice.
  with jax.debug_key_reuse(not name.startswith("switch")):
    together = jax.jit(jax.vmap(draw))(plan)
  assert not plan.where[-1].all()
  alone = jax.jit(functools.partial(plain_batch, transform))
  for index in (0, STEPS - 1):
    found, one = jax.tree.map(lambda x: x[index], (together, plan))
    expected = alone(one, trial)
    chex.assert_trees_all_close(
      (found["inputs"], found["targets"]), expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
  "name", ("mixup", "manifold", "a plain function, soft")
)
def test_advance_is_a_loop_of_single_steps(trial, name):
  transform = every_transform.TRANSFORMS[name]
  model = MODEL.copy(num_classes=every_transform.CLASSES)
  made = trials.classifier(model, TX, transform=lambda _: transform)
  plan = jax.tree.map(lambda x: x[0], draw_plan()(trial))
  step = steps.make_train_step(
    model,
    TX,
    losses.cross_entropy,
    root_key=jax.random.key(3),
    prepare=lambda _, batch: plain_batch(transform, batch["plan"], trial),
  )
  step = jax.jit(step)
  start = jax.jit(functools.partial(trials.init, made))(trial)
  state, loss = jax.jit(functools.partial(trials.advance, made, unroll=2))(
    start, plan, (), trial
  )
  expected = start
  for index in range(STEPS):
    one = jax.tree.map(lambda x: x[index], plan)
    expected, metrics = step(expected, {"plan": one, "where": one.where})
    np.testing.assert_allclose(loss[index], metrics["loss"], rtol=1e-4)
  assert state.step == STEPS
  chex.assert_trees_all_close(state.params, expected.params, atol=1e-4)


def test_init_has_the_weights_of_the_seed(trial):
  expected = states.create(
    MODEL, TX, rngs.stream(jax.random.key(3), "weights"), jnp.zeros((1, 4))
  )
  chex.assert_trees_all_close(
    trials.init(network(None), trial).params, expected.params
  )


def test_measure_is_of_test_rows(trial):
  """With weights of zero the first class is predicted."""
  made = network(None)
  state = jax.tree.map(jnp.zeros_like, trials.init(made, trial))
  rows = jnp.arange(10)
  found = trials.measure(made, state, rows, trial)["error"]
  labels = np.asarray(trial.labels)[np.asarray(trial.split.test_rows)[:10]]
  np.testing.assert_array_equal(found, 100 * (labels != 0))
  assert 0 < found.mean() < 100
