"""Tests of Remix against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import losses
from mixup_jax import transforms

COUNTS = np.array([600, 200, 100, 10, 599])


def by_numpy(mixed, kappa, tau):
  made = []
  for own, other, lam in zip(*mixed):
    ratio = COUNTS[own] / COUNTS[other]
    if ratio >= kappa and lam < tau:
      lam = 0
    elif ratio <= 1 / kappa and 1 - lam < tau:
      lam = 1
    made.append(lam)
  return np.array(made, np.float32)


def labels(shape=(400,), seed=0):
  rng = np.random.default_rng(seed)
  own, other = rng.integers(0, len(COUNTS), (2, *shape)).astype(np.int32)
  lam = rng.uniform(size=shape[:1]).astype(np.float32)
  return transforms.MixedLabels(own, other, lam)


@pytest.mark.parametrize("kappa, tau", [(3.0, 0.5), (1.0, 0.3), (10.0, 0.9)])
def test_remix_targets_are_those_of_numpy(kappa, tau):
  mixed = labels()
  made = transforms.remix_targets(mixed, COUNTS, kappa=kappa, tau=tau)
  np.testing.assert_array_equal(made.lam, by_numpy(mixed, kappa, tau))
  assert {0.0, 1.0} < set(np.asarray(made.lam).tolist())
  assert made.labels is mixed.labels


def test_remix_targets_have_the_defaults_of_the_paper():
  mixed = labels()
  made = jax.jit(transforms.remix_targets)(mixed, COUNTS)
  np.testing.assert_array_equal(made.lam, by_numpy(mixed, 3, 0.5))


def test_remix_targets_of_maps_have_a_weight_a_pixel():
  mixed = labels((6, 3, 2))
  made = transforms.remix_targets(mixed, COUNTS)
  lam = np.broadcast_to(mixed.lam[:, None, None], (6, 3, 2))
  flat = transforms.MixedLabels(
    mixed.labels.ravel(), mixed.partner_labels.ravel(), lam.ravel()
  )
  np.testing.assert_array_equal(made.lam.ravel(), by_numpy(flat, 3, 0.5))
  logits = np.random.default_rng(1).normal(size=(6, 3, 2, 5))
  loss = losses.cross_entropy(jnp.asarray(logits, jnp.float32), made)
  soft = losses.cross_entropy(jnp.asarray(logits, jnp.float32), made.soft(5))
  np.testing.assert_allclose(loss, soft, rtol=1e-5)


def test_remix_targets_of_mixup_have_the_loss_of_the_rarer_class(getkey):
  """Of classes 0 (600 examples) and 3 (10), the label is 3 if lam < tau."""
  ids = jnp.array([0, 3], jnp.int32)
  swap = jnp.array([1, 0], jnp.int32)

  @jax.jit
  def run(key):
    x, targets = transforms.mixup(
      key, jnp.eye(2, 5), ids, alpha=1.0, partner=swap
    )
    remixed = transforms.remix_targets(targets, COUNTS)
    return x, targets.lam[0], losses.cross_entropy(x, remixed)

  lambdas = []
  for key in jax.random.split(getkey(), 6):
    logits, lam, loss = map(np.asarray, run(key))
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    # Row 0 is of the frequent class, row 1 of the rare one.
    frequent, rare = lam if lam >= 0.5 else 0, lam if lam <= 0.5 else 1
    expected = [
      -frequent * log_p[0, 0] - (1 - frequent) * log_p[0, 3],
      -rare * log_p[1, 3] - (1 - rare) * log_p[1, 0],
    ]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    lambdas.append(lam)
  assert min(lambdas) < 0.5 < max(lambdas)


def test_remix_targets_are_nan_where_an_id_is_out_of_range():
  ids = jnp.array([0, -1, 1, 5], jnp.int32)
  mixed = transforms.MixedLabels(ids, ids[::-1], jnp.ones(4))
  made = transforms.remix_targets(mixed, COUNTS)
  np.testing.assert_array_equal(jnp.isnan(made.lam), [True] * 4)
  with pytest.raises(ValueError, match="from 0 to 4, got -1"):
    transforms.remix_targets(mixed._replace(labels=np.asarray(ids)), COUNTS)


@pytest.mark.parametrize(
  "options, error, message",
  [
    ({"kappa": 0.5}, ValueError, "kappa must be at least 1, got 0.5"),
    ({"tau": 2.0}, ValueError, "tau must be from 0 to 1, got 2"),
    ({"counts": 3}, ValueError, r"one number a class, got the shape \(\)"),
    ({"mixed": np.eye(3)}, TypeError, "got ndarray: pass ids"),
  ],
)
def test_remix_targets_refuses_bad_values(options, error, message):
  given = {"mixed": labels(), "counts": COUNTS, **options}
  with pytest.raises(error, match=message):
    transforms.remix_targets(given.pop("mixed"), given.pop("counts"), **given)
