"""Tests of RegMixup: its rows, its loss, and its price on a mesh."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax import transforms

BATCH, CLASSES = 8, 3


def batch():
  rng = np.random.default_rng(0)
  inputs = rng.normal(size=(BATCH, CLASSES)).astype(np.float32)
  return inputs, (np.arange(BATCH) % CLASSES).astype(np.int32)


def cross_entropy(logits, targets):
  logits = logits.astype(np.float64)
  logits = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
  return -(targets * logits).sum(-1)


@pytest.mark.parametrize("per_example", (False, True))
def test_regmixup_loss_is_that_of_numpy(per_example):
  """The network is the identity: logits are inputs."""
  inputs, labels = batch()

  @jax.jit
  def run(key):
    both, targets = transforms.regmixup(
      key, inputs, labels, alpha=1.0, eta=0.3, per_example=per_example
    )
    loss = losses.cross_entropy(both, targets)
    return both, targets, loss, losses.zero_one(both, targets)

  both, targets, loss, error = jax.device_get(run(jax.random.key(1)))
  assert both.shape == (2 * BATCH, CLASSES) and loss.shape == (BATCH,)
  np.testing.assert_array_equal(both[::2], inputs)
  np.testing.assert_array_equal(targets.clean, labels)
  lam = targets.mixed.lam[:, None]
  # Ids do not tell the partner: the mixed rows do.
  other = (both[1::2] - lam * inputs) / (1 - lam)
  partner = abs(other[:, None] - inputs[None]).sum(-1).argmin(1)
  assert sorted(partner) == list(range(BATCH))
  np.testing.assert_array_equal(targets.mixed.partner_labels, labels[partner])
  own = np.eye(CLASSES)[labels]
  mixed_inputs = lam * inputs + (1 - lam) * inputs[partner]
  mixed_labels = lam * own + (1 - lam) * own[partner]
  np.testing.assert_allclose(both[1::2], mixed_inputs, atol=1e-6)
  np.testing.assert_allclose(
    loss,
    cross_entropy(inputs, own)
    + 0.3 * cross_entropy(mixed_inputs, mixed_labels),
    rtol=1e-5,
  )
  np.testing.assert_array_equal(error, inputs.argmax(1) != labels)


def test_regmixup_is_erm_if_not_enabled():
  inputs, labels = batch()
  both, targets = transforms.regmixup(
    jax.random.key(1), inputs, labels, alpha=1.0, enabled=False
  )
  np.testing.assert_array_equal(both, np.repeat(inputs, 2, axis=0))
  np.testing.assert_array_equal(
    losses.cross_entropy(both, targets), losses.cross_entropy(inputs, labels)
  )


def test_regmixup_takes_trees_and_soft_targets():
  inputs, labels = batch()
  tree = {"x": inputs, "image": np.ones((BATCH, 2, 2, 1), np.float32)}
  both, targets = transforms.regmixup(
    jax.random.key(1),
    tree,
    np.eye(CLASSES, dtype=np.float32)[labels],
    alpha=1.0,
  )
  chex.assert_shape(both["image"], (2 * BATCH, 2, 2, 1))
  chex.assert_shape([targets.clean, targets.mixed], (BATCH, CLASSES))
  loss = losses.cross_entropy(both["x"], targets, label_smoothing=0.1)
  clean, mixed = (
    losses.cross_entropy(both["x"][row::2], part, label_smoothing=0.1)
    for row, part in enumerate(targets[:2])
  )
  chex.assert_trees_all_close(loss, clean + mixed, rtol=1e-6)


def test_regmixup_keeps_each_mix_beside_its_example_on_a_device():
  """With partners from the device nothing but the loss's mean is sent."""
  mesh = sharding.make_mesh(jax.devices()[:4])
  local = sharding.with_partners(
    functools.partial(transforms.regmixup, alpha=1.0), mesh, policy="local"
  )
  placed = jax.device_put(batch(), sharding.sharded(mesh))

  def loss(key, inputs, labels):
    return losses.cross_entropy(*local(key, inputs, labels))

  run = jax.jit(loss, out_shardings=sharding.sharded(mesh))
  text = run.lower(jax.random.key(0), *placed).compile().as_text()
  for word in ("all-gather", "all-to-all", "collective-permute", "all-reduce"):
    assert word not in text


def test_regmixup_refuses_bad_values():
  key, (inputs, labels) = jax.random.key(0), batch()
  with pytest.raises(ValueError, match="eta must be from 0 to inf, got -1"):
    transforms.regmixup(key, inputs, labels, alpha=1.0, eta=-1.0)
  both, targets = transforms.regmixup(key, inputs, labels, alpha=1.0)
  for loss in (losses.cross_entropy, losses.zero_one):
    with pytest.raises(ValueError, match=r"\(8, 3\) do not match 8 examples"):
      loss(both[:BATCH], targets)
  assert jnp.all(targets.eta == 1)
