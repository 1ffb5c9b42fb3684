"""Tests of lists of labels of both examples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms

BATCH, LENGTH = 5, 3


def lists():
  rng = np.random.default_rng(0)
  boxes = rng.uniform(size=(BATCH, LENGTH, 4)).astype(np.float32)
  ids = rng.integers(0, 9, (BATCH, LENGTH)).astype(np.int32)
  valid = np.arange(LENGTH) < np.array([3, 0, 1, 2, 3])[:, None]
  return {"box": boxes, "id": ids}, valid


def by_numpy(x, lam, partner, valid):
  both, weights = [], []
  for row, other in enumerate(partner):
    own = [*x[row], *(x[row] if lam[row] == 1 else x[other])]
    both.append(own)
    weights.append(
      [lam[row] * valid[row, i] for i in range(LENGTH)]
      + [(1 - lam[row]) * valid[other, i] for i in range(LENGTH)]
    )
  return np.array(both), np.array(weights, np.float32)


@pytest.mark.parametrize("per_example", (False, True))
def test_pair_union_is_that_of_numpy(per_example):
  tree, valid = lists()
  mix = transforms.sample_mix(
    jax.random.key(0), BATCH, alpha=1.5, per_example=per_example
  )
  both, weights = jax.jit(transforms.pair_union)(tree, mix, valid=valid)
  lam = np.broadcast_to(mix.lam, BATCH)
  for name, x in tree.items():
    expected, expected_weights = by_numpy(x, lam, mix.partner, valid)
    np.testing.assert_array_equal(both[name], expected)
    assert both[name].dtype == x.dtype
  np.testing.assert_allclose(weights, expected_weights, rtol=1e-6)


def test_pair_union_never_shows_padding_of_the_batch():
  tree, valid = lists()
  where = np.arange(BATCH) < 3
  tree["box"][~where] = np.nan
  partner = jnp.roll(jnp.arange(BATCH, dtype=jnp.int32), -1)
  for options in ({}, {"partner": partner}):
    mix = transforms.sample_mix(
      jax.random.key(1), BATCH, alpha=1.0, where=where, **options
    )
    both, weights = transforms.pair_union(tree, mix, valid=valid)
    assert jnp.isfinite(both["box"][where]).all()
    np.testing.assert_allclose(  # One label each, where all are valid.
      transforms.pair_union(tree, mix)[1].sum(1), LENGTH, rtol=1e-6
    )


def test_pair_union_of_lam_one_weighs_the_partner_by_zero():
  tree, valid = lists()
  mix = transforms.sample_mix(jax.random.key(1), BATCH, alpha=0.0)
  both, weights = transforms.pair_union(tree, mix, valid=valid)
  np.testing.assert_array_equal(both["id"], np.tile(tree["id"], 2))
  np.testing.assert_array_equal(weights, np.hstack([valid, 0 * valid]))


@pytest.mark.parametrize(
  "tree, valid, error, message",
  [
    (np.ones(5), None, ValueError, r"of one length, got \[\(5,\)\]: pad them"),
    ((np.ones((5, 2)), np.ones((5, 3))), None, ValueError, r"\(5, 2\), \(5, 3"),
    (np.ones((5, 2)), np.ones((5, 3), bool), ValueError, r"got \(5, 3\)"),
    (np.ones((5, 2)), np.ones((5, 2)), TypeError, "valid > 0"),
  ],
)
def test_pair_union_refuses_what_is_no_list(tree, valid, error, message):
  mix = transforms.Mix(jnp.float32(0.5), jnp.arange(5))
  with pytest.raises(error, match=message):
    transforms.pair_union(tree, mix, valid=valid)
