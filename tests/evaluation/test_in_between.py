"""Tests of misses and gradients, by a network whose gradient is known."""

import flax.linen as nn
import jax
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.evaluation import in_between
from mixup_jax.train import state as states


class Linear(nn.Module):
  @nn.compact
  def __call__(self, x, *, train):
    del train
    return nn.Dense(3, use_bias=False)(x.reshape(len(x), -1))


def made_set():
  draws = np.random.default_rng(0)
  pixels = draws.integers(0, 256, (10, 2, 2, 1)).astype(np.uint8)
  labels = draws.integers(0, 3, 10).astype(np.int32)
  return images.ImageSet(
    "made", pixels, labels, pixels, labels, 3, (0.4,), (0.2,), 0, False
  )


def expected(data, weights, batches, lam):
  """Returns the means over the pairs, one after another."""
  values = []
  inputs = ((data.train_images / 255 - 0.4) / 0.2).reshape(10, -1)
  for batch in batches:
    for i, j, valid in zip(*batch.values()):
      if valid:
        logits = (lam * inputs[i] + (1 - lam) * inputs[j]) @ weights
        p = np.exp(logits - logits.max())
        own, other = np.eye(3)[data.train_labels[[i, j]]]
        gradient = weights @ (p / p.sum() - lam * own - (1 - lam) * other)
        miss = logits.argmax() not in data.train_labels[[i, j]]
        values.append((100 * miss, np.linalg.norm(gradient)))
  return np.mean(values, axis=0)


@pytest.mark.parametrize("num_devices", [1, 8])
def test_curves_are_those_of_each_pair_alone(num_devices):
  data, mesh = made_set(), sharding.make_mesh(jax.devices()[:num_devices])
  model = Linear()
  weights = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
  params = {"Dense_0": {"kernel": weights}}
  state = sharding.put(
    states.TrainState(np.int32(0), params, {}, (), {}),
    sharding.replicated(mesh),
  )
  batches = in_between.draw_pairs(0, 10, count=9, batch_size=8)
  measure = in_between.make_measure(model, data, mesh)
  lams = (0.0, 0.3, 1.0)
  with jax.transfer_guard("disallow"):
    values = in_between.curves(
      measure,
      state,
      (data.train_images, data.train_labels),
      batches,
      mesh,
      lams,
    )
  wanted = [expected(data, weights, batches, lam) for lam in lams]
  np.testing.assert_allclose(values, np.stack(wanted, 1), rtol=1e-4)
  assert 0 < values[0].max() < 100


def test_draw_pairs_takes_all_images():
  batches = in_between.draw_pairs(3, 100, count=100, batch_size=64)
  assert [batch["where"].sum() for batch in batches] == [64, 36]
  sides = [
    np.concatenate([batch[side][batch["where"]] for batch in batches])
    for side in ("first", "second")
  ]
  for side in sides:
    np.testing.assert_array_equal(np.sort(side), np.arange(100))
  assert (sides[0] == sides[1]).sum() < 10
  again = in_between.draw_pairs(3, 100, count=100, batch_size=64)
  np.testing.assert_array_equal(again[0]["first"], batches[0]["first"])
  other = in_between.draw_pairs(4, 100, count=100, batch_size=64)
  assert (other[0]["first"] != batches[0]["first"]).any()
