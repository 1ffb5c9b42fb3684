"""Tests of every transform in both trainers, on one device and eight.

A run has a first and a last epoch that are plain, and a padded last batch. The
bad pixels of a padding row would make the loss infinite if they were mixed into
an example.
"""

import functools
import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.train import feeds
from mixup_jax.train import inputs
from mixup_jax.train import optim
from mixup_jax.train import program
from tests import every_transform

BATCH, COUNT, SIZE, EPOCHS = 16, 40, 4, 3
STEPS = -(-COUNT // BATCH)


class Linear(nn.Module):
  """The smallest classifier that calls a hook."""

  @nn.compact
  def __call__(self, x, *, train, mix=None, where=None):
    del train, where
    x = mix(0, x) if mix else x
    return nn.Dense(every_transform.CLASSES)(x.reshape(len(x), -1))


@functools.cache
def small_set():
  rng = np.random.default_rng(0)
  labels = rng.integers(0, every_transform.CLASSES, COUNT).astype(np.int32)
  pixels = rng.integers(0, 256, (COUNT, SIZE, SIZE, 1)).astype(np.uint8)
  return images.ImageSet(
    name="small",
    train_images=pixels,
    train_labels=labels,
    test_images=pixels[:16],
    test_labels=labels[:16],
    num_classes=every_transform.CLASSES,
    mean=(0.5,),
    std=(0.25,),
    pad=0,
    flip=False,
  )


def resident(mesh):
  feed = feeds.Resident(
    small_set(), mesh, batch_size=BATCH, eval_batch_size=BATCH
  )
  return inputs.resident(small_set()), feed


def streamed(mesh):
  """The same images; the last batch of an epoch is padded with white ones."""
  data = small_set()

  def batch(step):
    first = step % STEPS * BATCH
    rows = np.arange(first, first + BATCH)
    where = rows < COUNT
    rows = np.where(where, rows, 0)
    pixels = np.where(
      where[:, None, None, None], data.train_images[rows], np.uint8(255)
    )
    return {"images": pixels, "labels": data.train_labels[rows], "where": where}

  feed = feeds.Streamed(
    mesh,
    steps_per_epoch=STEPS,
    batch_size=BATCH,
    train=lambda seed, first: map(batch, range(first, EPOCHS * STEPS)),
    evaluate=lambda: [batch(0)],
  )
  return inputs.streamed(SIZE, mean=data.mean, std=data.std), feed


FEEDS = {"in memory": resident, "streaming": streamed}


def make_program(transform, inputs, mesh):
  return program.make_program(
    Linear(),
    optim.build("sgd", learning_rate=0.1),
    inputs,
    mesh=mesh,
    transform=transform,
    num_plain_steps=STEPS,
    num_mixed_steps=2 * STEPS,
  )


@functools.cache
def begun(feed, devices):
  """Returns a mesh, the inputs and the feed, and the first state."""
  mesh = sharding.make_mesh(jax.devices()[:devices])
  inputs, batches = FEEDS[feed](mesh)
  return (
    mesh,
    inputs,
    batches,
    make_program(None, inputs, mesh).init(np.uint32(1)),
  )


@functools.cache
def train(transform, feed, devices):
  """Returns the loss of every step."""
  mesh, inputs, batches, state = begun(feed, devices)
  made = make_program(transform, inputs, mesh)
  state = jax.tree.map(jnp.copy, state)  # A step consumes it.
  losses = []
  for batch in itertools.islice(batches.train_batches(1, 0), EPOCHS * STEPS):
    state, metrics = made.step(np.uint32(1), state, batch)
    losses.append(float(metrics["loss"]))
  return np.asarray(losses)


def assert_plain_first_and_mixed_after(losses, feed):
  """Steps are those of ERM up to where mixing is switched on."""
  erm = train(None, feed, 1)
  assert np.isfinite(losses).all() and len(losses) == EPOCHS * STEPS
  np.testing.assert_allclose(losses[:STEPS], erm[:STEPS], rtol=1e-4)
  # By the last step before mixing is switched off again, weights differ too.
  assert np.abs(losses[STEPS : 2 * STEPS] - erm[STEPS : 2 * STEPS]).max() > 1e-5


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("name", every_transform.TRANSFORMS)
def test_step_trains_with_every_transform(name, feed):
  transform = every_transform.TRANSFORMS[name]
  one, eight = (train(transform, feed, devices) for devices in (1, 8))
  np.testing.assert_allclose(one, eight, rtol=1e-3)
  assert_plain_first_and_mixed_after(one, feed)


@pytest.mark.parametrize("policy", sharding.POLICIES)
def test_step_pairs_a_padded_batch_by_every_policy(policy):
  mesh = begun("in memory", 4)[0]
  mixup = sharding.with_partners(
    every_transform.TRANSFORMS["mixup"], mesh, policy=policy
  )
  assert_plain_first_and_mixed_after(train(mixup, "in memory", 4), "in memory")


@pytest.mark.parametrize("name", ["mixup", "a plain function"])
def test_step_trains_with_a_transform_per_device(name):
  mesh = begun("in memory", 4)[0]
  own = sharding.per_device(every_transform.TRANSFORMS[name], mesh)
  assert_plain_first_and_mixed_after(train(own, "in memory", 4), "in memory")


def test_step_refuses_a_transform_that_cannot_be_switched():
  def doubles(key, inputs, targets):
    return jnp.concatenate([inputs, inputs]), targets

  with pytest.raises(TypeError, match="cannot be switched"):
    train(doubles, "in memory", 1)
