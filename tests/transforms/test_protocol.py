"""Tests of the protocol of every transform, and of its adapter."""

import functools
import inspect

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import losses
from mixup_jax import transforms
from tests import every_transform
from tests.every_transform import row_an_example

BATCH, VALID, CLASSES = 8, 5, every_transform.CLASSES
each_transform = pytest.mark.parametrize("name", every_transform.TRANSFORMS)


def batch(marked=0.0):
  """Returns a key, images and labels, and the mask; padding is marked."""
  where = jnp.arange(BATCH) < VALID
  images = jax.random.normal(jax.random.key(1), (BATCH, 4, 4, 1))
  images = jnp.where(where[:, None, None, None], images, marked)
  labels = jax.random.randint(jax.random.key(2), (BATCH,), 0, CLASSES)
  return jax.random.key(3), images, labels, where


def as_soft(targets):
  """Returns any kind of targets as `[batch, classes]` floats."""
  if isinstance(targets, transforms.MixedLabels):
    return targets.soft(CLASSES)
  if jnp.issubdtype(targets.dtype, jnp.integer):
    return jax.nn.one_hot(targets, CLASSES)
  return targets


def as_inputs(inputs):
  """Returns the inputs, mixed at depth 0 if hidden layers are mixed."""
  if isinstance(inputs, transforms.HiddenMix):
    return inputs.hook(0, inputs.inputs)
  return inputs


@functools.cache
def transform_of(name):
  return transforms.as_transform(every_transform.TRANSFORMS[name])


@functools.cache
def jitted(name):
  """Returns the one compiled transform that the tests share."""
  return jax.jit(transform_of(name))


@jax.jit
def losses_one_by_one(parts):
  return jax.lax.map(lambda part: losses.cross_entropy(*part), parts)


@functools.cache
def sharded_losses():
  """Returns the loss on eight devices, and where its arguments lie."""
  mesh = jax.make_mesh(
    (8,), ("data",), axis_types=(jax.sharding.AxisType.Auto,)
  )
  rows = jax.P("data")
  loss = jax.shard_map(
    losses.cross_entropy, mesh=mesh, in_specs=rows, out_specs=rows
  )
  return jax.jit(loss), jax.NamedSharding(mesh, rows)


def test_every_public_transform_is_tested():
  """A new transform that is not in the list fails here."""
  takes_batch = [
    name
    for name in transforms.__all__
    if inspect.isfunction(function := getattr(transforms, name))
    and list(inspect.signature(function).parameters)[1:3]
    in (["inputs", "targets"], ["images", "targets"])
  ]
  tested = {
    getattr(transform, "func", transform).__name__
    for transform in every_transform.TRANSFORMS.values()
  }
  assert set(takes_batch) <= tested | {"paired"}


@each_transform
def test_transform_takes_both_options(name):
  signature = inspect.signature(transform_of(name))
  for option in ("where", "enabled"):
    assert transforms.takes(transform_of(name), option), signature


@each_transform
def test_transform_takes_a_legacy_key(name):
  """Numbers of both kinds of keys are compared in tests/interop."""
  key, images, labels, _ = batch()
  legacy = jax.random.PRNGKey(3)
  assert legacy.dtype == jnp.uint32
  made, expected = (
    jax.eval_shape(transform_of(name), k, images, labels) for k in (legacy, key)
  )
  chex.assert_trees_all_equal_shapes_and_dtypes(made, expected)


@each_transform
@pytest.mark.parametrize("enabled", [False, "traced"])
def test_transform_returns_the_examples_if_not_enabled(name, enabled):
  key, images, labels, where = batch()
  transform = transform_of(name) if enabled is False else jitted(name)
  inputs, targets = row_an_example(
    *transform(key, images, labels, where=where, enabled=False)
  )
  chex.assert_trees_all_equal(
    np.asarray(as_inputs(inputs))[:VALID], np.asarray(images)[:VALID]
  )
  chex.assert_trees_all_close(
    as_soft(targets)[:VALID], jax.nn.one_hot(labels, CLASSES)[:VALID]
  )


@each_transform
def test_transform_off_does_not_depend_on_partners_that_are_nan(name):
  key, images, labels, _ = batch(marked=jnp.nan)
  off = row_an_example(*jitted(name)(key, images, labels, enabled=False))
  chex.assert_trees_all_equal(as_inputs(off[0])[:VALID], images[:VALID])
  chex.assert_tree_all_finite(as_soft(off[1]))


@each_transform
def test_transform_is_quiet_under_debug_nans_and_infs(name):
  key, images, labels, where = batch()
  with jax.debug_nans(True), jax.debug_infs(True):
    transform_of(name)(key, images, labels)
    transform_of(name)(jax.random.clone(key), images, labels, where=where)


@each_transform
def test_transform_changes_something_if_enabled(name):
  _, images, labels, where = batch()
  transform = jitted(name)
  changed = False
  for key in jax.random.split(jax.random.key(7), 8):
    inputs, targets = row_an_example(
      *transform(key, images, labels, where=where, enabled=True)
    )
    own = jax.nn.one_hot(labels, CLASSES)
    changed |= bool(jnp.any(as_inputs(inputs)[:VALID] != images[:VALID]))
    changed |= bool(jnp.any(jnp.abs(as_soft(targets) - own)[:VALID] > 1e-3))
  assert changed


@each_transform
@pytest.mark.parametrize("marked", (1e4, np.nan))
def test_transform_keeps_padding_out_of_examples(name, marked):
  """Padding is far brighter than the examples, and has its own class."""
  key, images, labels, where = batch(marked)
  labels = jnp.where(where, labels % (CLASSES - 1), CLASSES - 1)
  inputs, targets = row_an_example(
    *jitted(name)(key, images, labels, where=where)
  )
  assert jnp.all(jnp.abs(as_inputs(inputs)[:VALID]) < 100)
  smoothed = 0.2 / CLASSES if "smoothing" in name else 0.0
  assert jnp.all(as_soft(targets)[:VALID, -1] <= smoothed + 1e-6)


@each_transform
@pytest.mark.parametrize("per_part", [2, 4])
def test_transform_results_split_into_micro_batches(name, per_part):
  """The parts have the losses of the whole batch."""
  key, images, labels, _ = batch()
  inputs, targets = jitted(name)(key, images, labels)
  if isinstance(inputs, transforms.HiddenMix):
    inputs = as_inputs(inputs)  # A plan is valid only for its whole batch.
  logits = jnp.tanh(inputs.reshape(len(inputs), -1)[:, :CLASSES])
  whole = losses.cross_entropy(logits, targets)
  parts = jax.tree.map(
    lambda x: x.reshape(BATCH // per_part, -1, *x.shape[1:]), (logits, targets)
  )
  each = jax.vmap(losses.cross_entropy)(*parts)
  scanned = losses_one_by_one(parts)
  chex.assert_trees_all_close(each.reshape(-1), whole, rtol=1e-5)
  chex.assert_trees_all_close(scanned.reshape(-1), whole, rtol=1e-5)


@each_transform
def test_transform_results_shard_along_the_batch(name):
  key, images, labels, _ = batch()
  inputs, targets = jitted(name)(key, images, labels)
  inputs = as_inputs(inputs)
  logits = inputs.reshape(len(inputs), -1)[:, :CLASSES]
  whole = losses.cross_entropy(logits, targets)
  loss, rows = sharded_losses()
  placed = jax.device_put((logits, targets), rows)
  chex.assert_trees_all_close(loss(*placed), whole, rtol=1e-5)


def test_as_transform_returns_a_transform_unchanged():
  mixup = functools.partial(transforms.mixup, alpha=1.0)
  assert transforms.as_transform(mixup) is mixup
  assert transforms.as_transform(every_transform.plain) is not (
    every_transform.plain
  )


def test_as_transform_fills_padding_with_valid_examples():
  seen = {}

  def look(key, inputs, targets):
    seen["rows"] = inputs
    return inputs, targets

  where = jnp.asarray([False, True, True, False, False, False])
  rows = jnp.arange(6.0)
  transforms.as_transform(look)(jax.random.key(0), rows, rows, where=where)
  chex.assert_trees_all_equal(
    seen["rows"], jnp.asarray([1.0, 1.0, 2.0, 2.0, 1.0, 2.0])
  )


def test_as_transform_keeps_an_option_that_a_function_has():
  def masked(key, inputs, targets, *, where=None):
    return (inputs if where is None else jnp.where(where, inputs, 7)), targets

  x = jnp.zeros(3)
  transform = transforms.as_transform(masked)
  where = jnp.asarray([True, False, True])
  made, _ = transform(jax.random.key(0), x, x, where=where)
  chex.assert_trees_all_equal(made, jnp.asarray([0.0, 7.0, 0.0]))
  kept, _ = transform(jax.random.key(0), x, x, where=where, enabled=False)
  chex.assert_trees_all_equal(kept, x)


@pytest.mark.parametrize(
  "function",
  [
    lambda key, x, y: (x[:2], y),
    lambda key, x, y: (x.astype(jnp.bfloat16), y),
    lambda key, x, y: (x, (y, y)),
  ],
  ids=["shape", "dtype", "structure"],
)
def test_as_transform_raises_at_trace_time_if_it_cannot_switch(function):
  transform = transforms.as_transform(function)
  x = jnp.zeros((4, 3))

  def run(enabled):
    return transform(jax.random.key(0), x, x, enabled=enabled)

  with pytest.raises(TypeError, match="without the option `enabled` cannot be"):
    jax.eval_shape(run, True)


def test_takes_requires_normalize_to_be_declared():
  mixup = functools.partial(transforms.mixup, alpha=1.0)
  cutmix = functools.partial(transforms.cutmix, alpha=1.0)
  assert transforms.takes(mixup, "normalize")
  assert not transforms.takes(cutmix, "normalize")
  assert transforms.takes(cutmix, "where") and transforms.takes(mixup, "where")
