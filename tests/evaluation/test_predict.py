"""Tests of predictions: each image once, in order, on any devices."""

import types

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax.evaluation import predict
from mixup_jax.train.state import TrainState

DATA = types.SimpleNamespace(mean=(0.4,), std=(0.3,))
MESHES = {count: sharding.make_mesh(jax.devices()[:count]) for count in (1, 8)}


class Weighted(nn.Module):
  """Two logits: the sum of the inputs, and a parameter times it."""

  @nn.compact
  def __call__(self, x, *, train):
    assert not train
    total = x.sum((1, 2, 3))[:, None]
    weight = self.param("w", nn.initializers.ones, ())
    return jnp.concatenate([total, total * weight], axis=1)


def state(weight, mesh):
  variables = {"params": {"w": np.float32(weight)}}
  values = TrainState(np.int32(0), {"w": np.float32(7)}, {}, (), variables)
  return sharding.put(values, sharding.replicated(mesh))


def examples(count=20):
  draws = np.random.default_rng(0)
  pixels = draws.integers(0, 256, (count, 4, 4, 1)).astype(np.uint8)
  return pixels, np.arange(count, dtype=np.int32)


def test_batches_hold_each_image_once():
  parts = list(predict.batches(examples(), batch_size=8, mesh=MESHES[1]))
  assert [len(part["labels"]) for part in parts] == [8, 8, 8]
  assert [int(part["where"].sum()) for part in parts] == [8, 8, 4]
  for index, name in enumerate(("pixels", "labels")):
    whole = np.concatenate([p[name][np.asarray(p["where"])] for p in parts])
    np.testing.assert_array_equal(whole, examples()[index])
  assert parts[0]["pixels"].dtype == jnp.float32


@pytest.mark.parametrize("count, size", [(20, 24), (3, 8), (64, 64)])
def test_batches_of_a_small_set_are_one_that_the_devices_share(count, size):
  (batch,) = predict.batches(examples(count), batch_size=64, mesh=MESHES[8])
  assert len(batch["labels"]) == size and batch["where"].sum() == count
  assert batch["pixels"].sharding == sharding.sharded(MESHES[8])


@pytest.mark.parametrize("num_devices", MESHES)
def test_make_predict_returns_logits_in_order_without_the_padding(num_devices):
  mesh = MESHES[num_devices]
  predicted = predict.make_predict(Weighted(), DATA, mesh)
  with jax.transfer_guard("disallow"):
    logits = predicted(state(3.0, mesh), examples(), batch_size=8)
  total = ((examples()[0] / 255 - 0.4) / 0.3).sum((1, 2, 3))
  # Of the average of the weights, not of the last ones.
  np.testing.assert_allclose(logits, np.stack([total, 3 * total], 1), rtol=1e-4)
