"""Tests of training all seeds in one program against a plain loop."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import problems
from mixup_jax.data.in_memory import order
from mixup_jax.data.in_memory import tables
from mixup_jax.models import mlp
from mixup_jax.runtime import preemption
from mixup_jax.train import loop
from mixup_jax.train import rngs
from mixup_jax.train import side_by_side
from mixup_jax.train import state as states
from mixup_jax.train import step as steps
from mixup_jax.train import sweep
from mixup_jax.train import trial as trials

MODEL = mlp.MLP(num_classes=3, hidden=(16,))
TX = optax.adam(1e-2)
EPOCHS, BATCH = 3, 16


def iris(num_seeds):
  return problems.split_table(
    tables.load("iris"),
    seeds=range(num_seeds),
    train_fraction=0.5,
    scaling="min_max",
  )


def mixup(alpha):
  return functools.partial(transforms.mixup, alpha=alpha)


def train(problem, alphas, devices, **options):
  mesh = sharding.make_mesh(jax.devices()[:devices])
  network = trials.classifier(MODEL, TX, transform=mixup)
  program = sweep.make_program(network, mesh, batch_size=BATCH, epochs=EPOCHS)
  alphas = np.asarray(alphas, np.float32)
  return sweep.train(program, problem, alphas, mesh=mesh, **options)


def plain_loop(problem, seed, alpha):
  """Trains one seed with `fit`, a step at a time, from the same draws."""
  split = jax.tree.map(lambda x: jnp.asarray(x[seed]), problem.splits)
  features, labels = jnp.asarray(problem.features), jnp.asarray(problem.labels)
  root = jax.random.key(seed)
  inputs = split.scaled(features[split.train_rows])
  targets = labels[split.train_rows]

  def prepare(key, batch):
    del key
    return transforms.mixup(
      rngs.stream(root, "mix", batch["number"]),
      inputs[batch["rows"]],
      targets[batch["rows"]],
      alpha=alpha,
      where=batch["where"],
    )

  step = steps.make_train_step(
    MODEL, TX, losses.cross_entropy, root_key=root, prepare=prepare
  )
  epochs = [
    order.epoch_rows(
      rngs.stream(root, "order", epoch), len(inputs), batch_size=BATCH
    )
    for epoch in range(EPOCHS)
  ]
  rows, where = map(jnp.stack, zip(*epochs))
  numbers = jnp.arange(EPOCHS * rows.shape[1]).reshape(rows.shape[:2])
  plan = {"rows": rows, "where": where, "number": numbers}
  batches = (
    jax.tree.map(lambda x: x[epoch, index], plan)
    for epoch in range(EPOCHS)
    for index in range(rows.shape[1])
  )
  seen = []
  state = states.create(MODEL, TX, rngs.stream(root, "weights"), inputs[:1])
  state = loop.fit(
    state,
    jax.jit(step),
    batches,
    num_steps=EPOCHS * rows.shape[1],
    on_metrics=lambda n, m: seen.append(float(m["loss"])),
  )
  sums = steps.make_eval_step(MODEL)(
    state, split.scaled(features[split.test_rows]), labels[split.test_rows]
  )
  loss = np.asarray(seen).reshape(EPOCHS, -1).mean(1)
  return {"loss": loss, "error": np.asarray(sums.means()["error"])}


def test_train_equals_a_loop_of_single_steps():
  problem, alphas = iris(2), (0.0, 1.0)
  together = train(problem, alphas, devices=2)
  for seed in range(2):
    for index, alpha in enumerate(alphas):
      alone = plain_loop(problem, seed, alpha)
      np.testing.assert_allclose(
        together["loss"][seed, index], alone["loss"], rtol=1e-4
      )
      # One row of 75 may fall to the other side of a boundary by rounding.
      assert abs(together["error"][seed, index] - alone["error"]) < 1.4


@functools.cache
def three_on_one_device():
  return train(iris(3), (0.0, 0.4), devices=1)


@pytest.mark.parametrize("devices, seeds_per_device", [(2, 1), (8, 1), (4, 2)])
def test_train_on_more_devices_and_in_groups_is_the_same(
  devices, seeds_per_device
):
  one = three_on_one_device()
  other = train(
    iris(3), (0.0, 0.4), devices=devices, seeds_per_device=seeds_per_device
  )
  chex.assert_trees_all_equal_shapes(one, other)
  np.testing.assert_allclose(one["loss"], other["loss"], rtol=1e-4)


def test_train_has_curves_of_all_seeds_and_reports_groups():
  seen = []
  curves = train(iris(5), (0.0, 0.1, 1.0), devices=2, on_group=seen.append)
  assert seen == [4, 1]
  assert curves["loss"].shape == (5, 3, EPOCHS)
  assert curves["error"].shape == (5, 3)
  assert np.all(np.diff(curves["loss"].mean(0)) < 0)


def test_train_asks_how_many_seeds_fit_a_device(monkeypatch):
  asked, seen = [], []

  def choose(most, *, on_cpu, lower):
    asked.append((most, on_cpu))
    asked.extend(side_by_side.num_bytes(x) for n in (1, 2) for x in lower(n))
    return 1

  monkeypatch.setattr(side_by_side, "choose", choose)
  train(iris(5), (0.0,), devices=2, on_group=seen.append)
  assert seen == [2, 2, 1]
  number, one, two = asked
  assert number == (3, 2) and one < two


def test_lower_takes_what_train_gives_to_the_program():
  problem, mesh = iris(4), sharding.make_mesh(jax.devices()[:2])
  network = trials.classifier(MODEL, TX, transform=mixup)
  program = sweep.make_program(network, mesh, batch_size=BATCH, epochs=1)
  options = np.zeros(1, np.float32)
  compiled = sweep.lower(program, problem, options, mesh, 2).compile()
  trial = trials.Trial(
    np.arange(4, dtype=np.uint32),
    problem.splits,
    problem.features,
    problem.labels,
  )
  chex.assert_trees_all_equal(
    jax.device_get(compiled(options, trial)),
    jax.device_get(program(options, trial)),
  )


def test_train_from_a_first_seed_has_the_runs_of_these_seeds():
  problem = iris(3)
  whole = train(problem, (0.4,), devices=1)
  later = train(problem.take(slice(1, 3)), (0.4,), devices=1, first_seed=1)
  np.testing.assert_allclose(later["loss"], whole["loss"][1:], rtol=1e-4)


def test_train_with_alpha_zero_is_a_run_without_a_transform():
  """ERM through the same program is exactly ERM: no example has changed."""
  problem = iris(2)
  mesh = sharding.make_mesh(jax.devices()[:1])
  program = sweep.make_program(
    trials.classifier(MODEL, TX), mesh, batch_size=BATCH, epochs=EPOCHS
  )
  plain = sweep.train(program, problem, np.zeros(1, np.float32), mesh=mesh)
  mixed = train(problem, (0.0,), devices=1)
  np.testing.assert_allclose(plain["loss"], mixed["loss"], rtol=1e-5)


def test_train_shares_split_weights_and_order_between_options():
  """With alpha 0 twice, the two methods are one."""
  curves = train(iris(2), (0.0, 0.0), devices=1)
  chex.assert_trees_all_equal(curves["loss"][:, 0], curves["loss"][:, 1])
  assert not np.allclose(curves["loss"][0, 0], curves["loss"][1, 0])


def test_train_keeps_the_groups_that_ended(tmp_path, sigterm, monkeypatch):
  groups = []

  def program(options, trial):
    seeds = np.asarray(trial.seed)
    groups.append(seeds.tolist())
    options, seeds = np.asarray(options), seeds.astype(np.float32)
    each = (options[:, None] + seeds[:, None, None]) / np.float32(3)
    return {"loss": each, "error": each[..., 0] * np.float32(np.nan)}

  again = functools.partial(
    sweep.train,
    program,
    iris(5),
    np.float32([0.1, 0.2]),
    mesh=sharding.make_mesh(jax.devices()[:2]),
  )
  whole = again()
  with pytest.raises(preemption.Stopped):
    again(workdir=tmp_path, on_group=sigterm)
  assert [path.name for path in tmp_path.iterdir()] == ["seeds_0_to_3.json"]
  monkeypatch.setattr(preemption, "_is_noticed", False)
  resumed = again(workdir=tmp_path)
  assert resumed.pop("seconds") > 0 and whole.pop("seconds") > 0
  assert resumed["loss"].shape == (5, 2, 1)
  chex.assert_trees_all_equal(resumed, whole)
  assert resumed["loss"].dtype == resumed["error"].dtype == np.float32
  last = [4, 0, 1, 2]  # Filled up; the file has the fifth seed alone.
  assert groups == [[0, 1, 2, 3], last] * 2
  assert (tmp_path / "seeds_4_to_4.json").exists()
