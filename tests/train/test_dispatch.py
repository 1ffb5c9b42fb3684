"""Tests of training all seeds at once against each seed alone."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.data import problems
from mixup_jax.data import splits
from mixup_jax.train import dispatch
from mixup_jax.train import trial

ROWS, TRAIN, BATCH = 12, 7, 3


@pytest.fixture(scope="module")
def problem():
  rng = np.random.default_rng(0)
  order = np.stack([rng.permutation(ROWS) for _ in range(3)]).astype(np.int32)
  each = splits.Split(
    order[:, :TRAIN],
    order[:, TRAIN:],
    *(np.full((3, 2), x, np.float32) for x in (1, 2, 0)),
  )
  features = np.stack([np.arange(ROWS), np.arange(ROWS) ** 2], 1)
  return problems.Problem(
    features.astype(np.uint8), np.arange(ROWS, dtype=np.int32), each, ROWS
  )


def step(key, state, batch):
  """Counts how often each row was seen, and adds up its inputs and a draw."""
  where = batch["where"]
  labels = batch["targets"]
  seen = state["seen"].at[labels].add(where.astype(jnp.int32))
  scale = where[:, None].astype(jnp.float32)
  total = state["total"] + (batch["inputs"] * scale).sum()
  draw = jax.random.uniform(jax.random.clone(key))
  return {"seen": seen, "total": total}, draw


@pytest.fixture(scope="module")
def program():
  def init(key, inputs):
    return {
      "seen": jnp.zeros(ROWS, jnp.int32),
      "total": jax.random.uniform(key),
    }

  def measure(key, state, batch):
    return {"first": batch["inputs"][:, 0], "second": batch["targets"]}

  def transform(factor):
    def times(key, inputs, targets, *, where, enabled):
      return inputs * factor, targets

    return times

  return dispatch.make_program(trial.Network(init, step, measure, transform))


def train(program, problem, seeds, factors, **changes):
  settings = {"epochs": 2, "batch_size": BATCH, "steps_per_dispatch": 2}
  return dispatch.train(
    program,
    problem,
    np.asarray(seeds),
    options=jnp.asarray(factors, jnp.float32),
    **{**settings, **changes},
  )


def test_train_sees_every_training_row_once_an_epoch(program, problem):
  done = []
  state, loss = train(
    program, problem, [0, 1, 2], [1, 1, 1], on_epoch=lambda: done.append(1)
  )
  expected = np.zeros((3, ROWS), np.int32)
  for row, rows in zip(expected, problem.splits.train_rows):
    row[rows] = 2
  np.testing.assert_array_equal(state["seen"], expected)
  assert loss.shape == (3, 2) and len(done) == 2
  assert len(set(loss[:, 0])) == 3


@pytest.mark.parametrize("steps_per_dispatch", (1, 3))
def test_train_of_seeds_together_is_of_each_alone_in_any_dispatches(
  program, problem, steps_per_dispatch
):
  together, losses = train(program, problem, [0, 1, 2], [1, 2, 3])
  alone = problem.take(slice(1, 2))
  state, loss = train(
    program, alone, [1], [2], steps_per_dispatch=steps_per_dispatch
  )
  chex.assert_trees_all_close(
    jax.tree.map(lambda x: x[1:2], together), state, rtol=1e-5
  )
  np.testing.assert_allclose(losses[1:2], loss, rtol=1e-6)


def test_train_follows_the_plan_of_each_epoch(problem):
  """The state is the labels as they were seen, as digits of a number."""

  def count(key, state, batch):
    return 2 * state + batch["targets"][0], state

  network = trial.Network(
    lambda key, inputs: jnp.zeros((), jnp.int32), count, lambda *_: {}
  )
  found, _ = train(dispatch.make_program(network), problem, [5, 6, 7], [1] * 3)
  plans = jax.vmap(
    lambda run: trial.draw_plan(run, batch_size=BATCH, epochs=2),
    in_axes=(trial.BY_SEED,),
  )(trial.Trial(np.uint32([5, 6, 7]), problem.splits, *problem[:2]))
  rows = np.asarray(plans.rows)[..., 0].reshape(3, -1)
  for seed in range(3):
    expected = 0
    for row in problem.splits.train_rows[seed][rows[seed]]:
      expected = 2 * expected + row
    assert found[seed] == expected
  assert (rows[:, :3] != rows[:, 3:]).any()


def test_train_transforms_by_the_options_of_each_seed(program, problem):
  ones, _ = train(program, problem, [0, 1, 2], [1, 1, 1], epochs=1)
  more, _ = train(program, problem, [0, 1, 2], [1, 2, 3], epochs=1)
  drawn, _ = train(program, problem, [0, 1, 2], [0, 0, 0], epochs=1)
  one, many = (np.asarray(x["total"] - drawn["total"]) for x in (ones, more))
  np.testing.assert_allclose(many, one * (1, 2, 3), rtol=1e-5)


def test_measure_is_the_mean_of_test_rows_without_padding(program, problem):
  state, _ = train(program, problem, [0, 1, 2], [0, 0, 0], epochs=1)
  found = dispatch.measure(program, problem, np.arange(3), state, batch_size=4)
  rows = problem.splits.test_rows
  np.testing.assert_allclose(found["first"], ((rows - 1) / 2).mean(1))
  np.testing.assert_allclose(found["second"], rows.mean(1))


def test_train_with_a_loss_that_is_not_finite_raises(problem):
  program = dispatch.make_program(
    trial.Network(
      lambda key, inputs: jax.random.uniform(key),
      lambda key, state, batch: (state, jnp.log(-1 - state)),
      lambda *_: {},
    )
  )
  with pytest.raises(FloatingPointError, match="epoch 1 is not finite: lower"):
    dispatch.train(
      program,
      problem,
      np.arange(3),
      epochs=1,
      batch_size=BATCH,
      steps_per_dispatch=9,
    )


def test_lower_takes_what_train_gives_to_the_programs(program, problem):
  factors = np.ones(3, np.float32)
  state, lowered = dispatch.lower(
    program,
    problem,
    3,
    options=factors,
    batch_size=BATCH,
    steps_per_dispatch=9,
    eval_batch_size=4,
  )
  trials = trial.Trial(
    np.arange(3, dtype=np.uint32), problem.splits, *problem[:2]
  )
  advance, measure = (each.compile() for each in lowered)
  first = program.init(trials)
  chex.assert_trees_all_equal_shapes_and_dtypes(first, state)
  plan = trial.Plan(  # An epoch of seven rows has three steps.
    np.zeros((3, 3), np.int32),
    np.zeros((3, 3, BATCH), np.int32),
    np.ones((3, 3, BATCH), bool),
  )
  state, _ = advance(first, plan, factors, trials)
  np.testing.assert_array_equal(state["seen"].sum(1), 9)
  assert measure(state, np.arange(4, dtype=np.int32), trials)[
    "first"
  ].shape == ((3, 4))
