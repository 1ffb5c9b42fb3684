"""Tests that eager = jit = vmap = pmap = shard_map = jit on 8 devices."""

import functools

import chex
import jax
import jax.numpy as jnp
import pytest

from mixup_jax import sharding
from mixup_jax import transforms

BATCH, CLASSES = 16, 5


def manifold_of_inputs(key, inputs, targets):
  mixed, targets = transforms.manifold(
    key, inputs, targets, alpha=2.0, layers=(0, 1)
  )
  return mixed.hook(1, mixed.hook(0, mixed.inputs)), targets


def padded_sequences(key, inputs, targets):
  """Mixes rows of pixels as sequences, of lengths that the labels give."""
  mix = transforms.sample_mix(key, BATCH, alpha=1.0, per_example=True)
  length = jnp.arange(inputs.shape[1], dtype=targets.dtype)
  valid = length[None] < targets[:, None] + 1
  mixed, valid = transforms.mix_padded(inputs, mix, valid=valid)
  return (mixed, valid), transforms.mix_targets(targets, mix)


TRANSFORMS = {
  "mixup": functools.partial(transforms.mixup, alpha=0.4),
  "mixup with all options": functools.partial(
    transforms.mixup, alpha=0.4, per_example=True, fold=True, probability=0.5
  ),
  "cutmix": functools.partial(transforms.cutmix, alpha=1.0),
  "cutmix per example": functools.partial(
    transforms.cutmix, alpha=1.0, per_example=True
  ),
  "resizemix": functools.partial(transforms.resizemix, per_example=True),
  "fmix": functools.partial(transforms.fmix, alpha=1.0, per_example=True),
  "regmixup": functools.partial(transforms.regmixup, alpha=1.0),
  "manifold": manifold_of_inputs,
  "padded sequences": padded_sequences,
  "latent": functools.partial(
    transforms.latent,
    alpha=0.4,
    encode=lambda x: 2 * x,
    decode=lambda x: x[..., ::-1],
  ),
  "gaussian noise": functools.partial(transforms.gaussian_noise, sigma=0.1),
  "label smoothing": functools.partial(
    transforms.label_smoothing, epsilon=0.1, num_classes=CLASSES
  ),
  "inputs only": functools.partial(transforms.inputs_only, alpha=1.0),
  "inputs and smoothing": functools.partial(
    transforms.inputs_with_smoothing,
    alpha=1.0,
    epsilon=0.1,
    num_classes=CLASSES,
  ),
  "switch": functools.partial(
    transforms.switch,
    transforms=(
      functools.partial(transforms.mixup, alpha=0.4),
      functools.partial(transforms.cutmix, alpha=1.0),
    ),
  ),
}

each_transform = pytest.mark.parametrize("name", TRANSFORMS)


def batches():
  """Returns keys, images and labels for eight batches."""
  keys = jax.random.split(jax.random.key(1), 8)
  images = jax.random.normal(jax.random.key(2), (8, BATCH, 6, 6, 2))
  labels = jax.random.randint(jax.random.key(3), (8, BATCH), 0, CLASSES)
  return keys, images, labels


def first(count, batches):
  return jax.tree.map(lambda x: x[:count], batches)


def one_by_one(transform, arguments):
  """Applies a transform eagerly, batch by batch."""
  with jax.debug_key_reuse(False):  # All tests below reuse the same keys.
    results = [
      transform(*(jax.tree.map(lambda x: x[i], arguments)))
      for i in range(len(arguments[0]))
    ]
  return jax.tree.map(lambda *x: jnp.stack(x), *results)


@functools.cache
def eagerly(name):
  """Returns what all tests of a transform compare with."""
  return one_by_one(TRANSFORMS[name], batches())


close = functools.partial(chex.assert_trees_all_close, rtol=2e-6, atol=2e-6)


@each_transform
def test_transform_equals_itself_under_jit_and_vmap(name):
  transform, arguments = TRANSFORMS[name], first(3, batches())
  eager = first(3, eagerly(name))
  close(eager, one_by_one(jax.jit(transform), arguments))
  with jax.debug_key_reuse(False):
    close(eager, jax.jit(jax.vmap(transform))(*arguments))


@each_transform
def test_transform_equals_itself_under_pmap_and_shard_map(name):
  transform, arguments, eager = TRANSFORMS[name], batches(), eagerly(name)
  with jax.debug_key_reuse(False):
    close(eager, jax.pmap(transform)(*arguments))

  def on_each_device(*shard):
    result = transform(*(x[0] for x in shard))
    return jax.tree.map(lambda x: x[None], result)

  rows = jax.P(sharding.AXIS)
  sharded = jax.shard_map(
    on_each_device, mesh=sharding.make_mesh(), in_specs=rows, out_specs=rows
  )
  with jax.debug_key_reuse(False):
    close(eager, jax.jit(sharded)(*arguments))


@each_transform
def test_transform_is_the_same_in_64_bit_mode(name):
  transform, arguments = TRANSFORMS[name], first(1, batches())
  narrow = first(1, eagerly(name))
  with jax.enable_x64(True):
    wide = one_by_one(jax.jit(transform), arguments)
  chex.assert_trees_all_equal_dtypes(narrow, wide)
  close(narrow, wide)


@each_transform
def test_transform_is_the_same_on_eight_devices(name):
  transform = TRANSFORMS[name]
  key, images, labels = (x[0] for x in batches())
  mesh = sharding.make_mesh()
  assert mesh.size == 8
  spread = jax.device_put((images, labels), sharding.sharded(mesh))
  with jax.debug_key_reuse(False):
    made = jax.jit(transform)(key, *spread)
  close(jax.tree.map(lambda x: x[0], eagerly(name)), made)
