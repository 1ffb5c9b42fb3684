"""Tests of the program: its results do not depend on the devices."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import metrics
from mixup_jax import models
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import augment
from mixup_jax.data.in_memory import images
from mixup_jax.train import feeds
from mixup_jax.train import inputs
from mixup_jax.train import optim
from mixup_jax.train import program
from mixup_jax.train import schedules

RATE = schedules.step_decay(0.1, steps=(2,), factor=0.1)


def small_set():
  rng = np.random.default_rng(0)

  def pixels(count):
    return rng.integers(0, 256, (count, 8, 8, 3), np.uint8)

  def labels(count):
    return rng.integers(0, 3, count).astype(np.int32)

  return images.ImageSet(
    name="small",
    train_images=pixels(40),
    train_labels=labels(40),
    test_images=pixels(20),
    test_labels=labels(20),
    num_classes=3,
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    pad=1,
    flip=True,
  )


@functools.cache
def make_program(devices, average_decay=None):
  data = small_set()
  model = models.build("preact_resnet18", num_classes=3, width=4, blocks=(1,))
  tx = optim.build("sgd", learning_rate=RATE, momentum=0.9, weight_decay=1e-4)
  return program.make_program(
    model,
    tx,
    inputs.resident(data),
    mesh=sharding.make_mesh(jax.devices()[:devices]),
    transform=functools.partial(transforms.mixup, alpha=1.0),
    learning_rate=RATE,
    average_decay=average_decay,
  )


def put(made, tree, spec=jax.P()):
  return sharding.put(tree, jax.sharding.NamedSharding(made.mesh, spec))


def batches(made, count):
  """Returns some batches; of the last the second half is padding."""
  data = small_set()
  whole = put(made, (data.train_images, data.train_labels))
  rng = np.random.default_rng(1)
  for index in range(count):
    chosen = {
      "rows": rng.permutation(40)[:16].astype(np.int32),
      "where": np.arange(16) < (8 if index == count - 1 else 16),
    }
    yield {"images": whole[0], "labels": whole[1]} | put(
      made, chosen, jax.P("data")
    )


def trained(made, count=3):
  seed = put(made, np.uint32(5))
  state, losses = made.init(seed), []
  for batch in batches(made, count):
    state, metrics = made.step(seed, state, batch)
    losses.append(metrics)
  return state, losses


@pytest.mark.parametrize("devices", (2, 8))
def test_step_does_not_depend_on_the_number_of_devices(devices):
  one, metrics = trained(make_program(1))
  many, same = trained(make_program(devices))
  chex.assert_trees_all_close(
    jax.device_get(many), jax.device_get(one), rtol=1e-3, atol=1e-5
  )
  chex.assert_trees_all_close(
    jax.device_get(same), jax.device_get(metrics), rtol=1e-4
  )


def table(k=4):
  """Returns neighbours that no image shares with the one before."""
  rows = np.arange(40, dtype=np.int32)[:, None]
  return (rows + 1 + np.arange(k, dtype=np.int32)) % 40


def with_neighbors(made, count=2):
  seed = put(made, np.uint32(5))
  state, values = made.init(seed), []
  for batch in batches(made, count):
    batch["neighbors"] = put(made, table())
    state, metrics = made.step(seed, state, batch)
    values.append(metrics)
  return state, values


def test_step_with_neighbors_does_not_depend_on_the_number_of_devices():
  one, metrics = with_neighbors(make_program(1))
  many, same = with_neighbors(make_program(8))
  chex.assert_trees_all_close(
    jax.device_get(many), jax.device_get(one), rtol=1e-3, atol=1e-5
  )
  chex.assert_trees_all_close(
    jax.device_get(same), jax.device_get(metrics), rtol=1e-4
  )
  with pytest.raises(AssertionError):  # Else they would be of the batch.
    chex.assert_trees_all_close(
      trained(make_program(1), 2)[0].params, one.params
    )


def test_step_of_erm_refuses_neighbors():
  made = program.make_program(
    models.build("preact_resnet18", num_classes=3, width=4, blocks=(1,)),
    optim.build("sgd", learning_rate=RATE),
    inputs.resident(small_set()),
    mesh=sharding.make_mesh(jax.devices()[:1]),
  )
  with pytest.raises(ValueError, match="nothing is mixed with: give a trans"):
    with_neighbors(made, 1)


def test_step_of_a_stack_of_batches_equals_single_steps():
  made = make_program(1)
  one_by_one, metrics = trained(made)
  chosen = [
    {k: jax.device_get(v) for k, v in batch.items() if k in ("rows", "where")}
    for batch in batches(made, 3)
  ]
  whole = next(batches(made, 1))
  whole |= put(
    made, jax.tree.map(lambda *x: np.stack(x), *chosen), jax.P(None, "data")
  )
  seed = put(made, np.uint32(5))
  at_once, stacked = made.step(seed, made.init(seed), whole)
  chex.assert_trees_all_close(at_once, one_by_one, rtol=1e-3, atol=1e-5)
  chex.assert_trees_all_close(
    stacked, jax.tree.map(lambda *x: jnp.stack(x), *metrics), rtol=1e-4
  )
  np.testing.assert_allclose(stacked["learning_rate"], [0.1, 0.1, 0.01])


def test_init_depends_on_the_seed():
  made = make_program(1)
  first, again, other = (made.init(put(made, np.uint32(s))) for s in (1, 1, 2))
  chex.assert_trees_all_equal(first, again)
  with pytest.raises(AssertionError):
    chex.assert_trees_all_close(first.params, other.params)


def test_evaluate_counts_every_example_once():
  made, data = make_program(8), small_set()
  state = made.init(put(made, np.uint32(5)))
  padded, whole = (
    made.evaluate(state, *feed.eval_batches(False)["test"]).means()
    for feed in (
      feeds.Resident(data, made.mesh, batch_size=16, eval_batch_size=size)
      for size in (8, 40)
    )
  )
  chex.assert_trees_all_close(padded, whole, rtol=1e-5)
  pixels = augment.normalize(data.test_images, mean=data.mean, std=data.std)
  model = models.build("preact_resnet18", num_classes=3, width=4, blocks=(1,))
  logits = model.apply(jax.device_get(state.variables()), pixels)
  expected = metrics.classification(logits, data.test_labels).means()
  chex.assert_trees_all_close(jax.device_get(padded), expected, rtol=1e-4)


def test_step_with_average_decay_keeps_an_average_of_the_weights():
  state, _ = trained(make_program(1, average_decay=0.5), count=2)
  leaves = jax.tree.leaves(state.average)
  assert len(leaves) == len(jax.tree.leaves((state.params, state.batch_stats)))
  with pytest.raises(AssertionError):
    chex.assert_trees_all_close(state.average["params"], state.params)
