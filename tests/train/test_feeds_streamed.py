"""Tests of the feed of streamed images, with batches made by hand."""

import functools

import chex
import flax.linen as nn
import jax
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.cost_model import collectives
from mixup_jax.cost_model import estimate
from mixup_jax.cost_model import hlo
from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import preemption
from mixup_jax.train import feeds
from mixup_jax.train import inputs
from mixup_jax.train import optim
from mixup_jax.train import program
from mixup_jax.train import run
from mixup_jax.train import schedules

SIZE, CLASSES, STEPS = 4, 3, 3


class Linear(nn.Module):
  """The smallest classifier: without statistics a batch is a sum of rows."""

  @nn.compact
  def __call__(self, x, *, train, mix=None, where=None):
    del train, mix, where
    return nn.Dense(CLASSES)(x.reshape(len(x), -1))


@functools.cache
def make_program(devices=1, accumulation=1, alpha=1.0, partners=None):
  rate = schedules.step_decay(0.1, steps=(4,), factor=0.1)
  tx = optim.build("sgd", learning_rate=rate, momentum=0.9, weight_decay=1e-3)
  mixup = functools.partial(transforms.mixup, alpha=alpha)
  mesh = sharding.make_mesh(jax.devices()[:devices])
  if partners:
    mixup = sharding.with_partners(mixup, mesh, policy=partners)
  return program.make_program(
    Linear(),
    optim.accumulated(tx, accumulation),
    inputs.streamed(SIZE, mean=(0.5,) * 3, std=(0.25,) * 3),
    mesh=mesh,
    transform=mixup if alpha else None,
    learning_rate=lambda step: rate(step // accumulation),
  )


def batch(step, size=8):
  rng = np.random.default_rng(step)
  labels = rng.integers(0, CLASSES, size).astype(np.int32)
  pixels = rng.integers(0, 80, (size, SIZE, SIZE, 3))
  pixels += 80 * labels[:, None, None, None]
  return {"images": pixels.astype(np.uint8), "labels": labels}


def eval_batches():
  """Yields two batches, of the second of which half is padding."""
  whole = batch(1000, 16)
  for start, counted in ((0, 8), (8, 4)):
    rows = {name: x[start : start + 8] for name, x in whole.items()}
    yield rows | {"where": np.arange(8) < counted}


def train(workdir, made, epochs=2):
  feed = feeds.Streamed(
    made.mesh,
    steps_per_epoch=STEPS,
    batch_size=16,
    train=lambda seed, first: (batch(i) for i in range(first, epochs * STEPS)),
    evaluate=eval_batches,
  )
  return run.train(
    made, feed, seed=1, epochs=epochs, workdir=workdir, config={}
  )


def final_state(workdir, made):
  with checkpoint.Checkpoints(workdir / "checkpoints") as saved:
    return jax.device_get(saved.restore(run.state_shapes(made))[1])


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
  workdir = tmp_path_factory.mktemp("straight")
  return train(workdir, make_program()), final_state(workdir, make_program())


def test_train_learns_and_evaluates_each_image_once(straight):
  lines, state = straight
  assert [line["epoch"] for line in lines] == [1, 2]
  assert lines[-1]["validation/error"] < 50  # Chance is 67.
  assert lines[-1]["validation/top5_error"] == 0
  images = np.concatenate([b["images"][b["where"]] for b in eval_batches()])
  labels = np.concatenate([b["labels"][b["where"]] for b in eval_batches()])
  logits = Linear().apply(
    {"params": state.params},
    (images / np.float32(255) - 0.5) / 0.25,
    train=False,
  )
  wrong = np.mean(np.argmax(logits, axis=-1) != labels)
  np.testing.assert_allclose(
    lines[-1]["validation/error"], 100 * wrong, rtol=1e-6
  )


@pytest.mark.parametrize("stop", (2, STEPS, 4))
def test_train_resumes_bit_by_bit(tmp_path, monkeypatch, straight, stop):
  def reached(at):
    return lambda done: done == at

  monkeypatch.setattr(preemption, "reached", reached(stop))
  with pytest.raises(preemption.Stopped):
    train(tmp_path, make_program())
  monkeypatch.setattr(preemption, "reached", reached(None))
  train(tmp_path, make_program())
  chex.assert_trees_all_equal(
    final_state(tmp_path, make_program()), straight[1]
  )


def test_train_on_eight_devices_equals_one(tmp_path, straight):
  lines = train(tmp_path, make_program(devices=8))
  chex.assert_trees_all_close(
    final_state(tmp_path, make_program(devices=8)),
    straight[1],
    rtol=1e-4,
    atol=1e-6,
  )
  for ours, expected in zip(lines, straight[0], strict=True):
    np.testing.assert_allclose(
      ours["validation/nll"], expected["validation/nll"], rtol=1e-4
    )


def test_step_sends_bytes_between_devices():
  """Rolled over eight devices, each sends an image and a label."""
  made = make_program(devices=8, partners="roll")
  rows = sharding.put_rows(batch(0), made.mesh)
  text = estimate.lower_step(made, rows).compile().as_text()
  sent = collectives.total(collectives.find(hlo.parse(text)))

  assert sent["collective-permute"].size == SIZE * SIZE * 3 + 4


def test_step_with_accumulation_equals_one_of_the_whole_batch():
  """With momentum, decay and a drop of the rate between the updates."""
  seed = np.uint32(3)
  halves, whole = (make_program(accumulation=k, alpha=0.0) for k in (2, 1))
  in_two, at_once = (made.init(seed) for made in (halves, whole))
  for step in range(6):
    full = batch(step)
    for rows in (slice(0, 4), slice(4, 8)):
      part = {name: x[rows] for name, x in full.items()}
      in_two, values = halves.step(seed, in_two, part)
    at_once, expected = whole.step(seed, at_once, full)
    chex.assert_trees_all_close(
      in_two.params, at_once.params, rtol=1e-5, atol=1e-6
    )
    assert values["learning_rate"] == expected["learning_rate"]
  assert (in_two.step, at_once.step) == (12, 6)


def test_accumulated_and_put_rows_refuse_bad_sizes():
  with pytest.raises(ValueError, match="accumulation must be at least 1"):
    make_program(accumulation=0)
  with pytest.raises(ValueError, match="8 equal parts, got 12 examples"):
    sharding.put_rows(batch(0, size=12), make_program(devices=8).mesh)
