"""Tests of C-Mixup's partners against the probabilities of NumPy."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms
from mixup_jax.transforms import _similar

DRAWS = 4000


def probabilities(targets, sigma, where=True):
  points = np.asarray(targets, np.float64).reshape(len(targets), -1)
  squared = ((points[:, None] - points[None]) ** 2).sum(-1)
  weights = np.exp(-squared / (2 * sigma**2)) * where
  return weights / weights.sum(1, keepdims=True)


def frequencies(targets, **options):
  draw = functools.partial(
    transforms.similar_target_partners, targets=targets, **options
  )
  keys = jax.random.split(jax.random.key(0), DRAWS)
  partner = jax.jit(jax.vmap(draw))(keys)
  assert partner.dtype == jnp.int32
  return np.stack(
    [np.mean(partner == row, axis=0) for row in range(len(targets))], axis=1
  )


@pytest.mark.parametrize("shape, chunk_size", [((7,), 3), ((6, 2), 256)])
def test_similar_target_partners_have_the_probabilities_of_numpy(
  monkeypatch, shape, chunk_size
):
  monkeypatch.setattr(_similar, "_BLOCK", 2)  # Several, one of them partial.
  targets = np.random.default_rng(0).normal(size=shape).astype(np.float32)
  where = np.arange(shape[0]) != 2
  found = frequencies(targets, sigma=0.7, where=where, chunk_size=chunk_size)
  expected = probabilities(targets, 0.7, where)
  np.testing.assert_allclose(found, expected, atol=4 * 0.5 / DRAWS**0.5)
  assert not found[:, 2].any() and expected.max() < 0.9


def test_similar_target_partners_never_are_padding_of_nan():
  where = np.arange(300) < 150
  targets = np.where(where, np.linspace(0, 1, 300), np.nan).astype(np.float32)
  for sigma in (1e-3, 1e6):
    partner = transforms.similar_target_partners(
      jax.random.key(1), targets, sigma=sigma, where=where
    )
    assert (partner[where] < 150).all()
    gap = np.abs(targets[partner] - targets)[where]
    assert (gap.max() < 0.01) if sigma < 1 else (gap.max() > 0.3)


@pytest.mark.parametrize("bad", (np.nan, np.inf))
def test_similar_target_partners_leave_out_a_bad_target_alone(bad):
  targets = np.linspace(0, 1, 300, dtype=np.float32)
  key = jax.random.key(2)
  clean = transforms.similar_target_partners(key, targets, sigma=0.05)
  targets[7] = bad
  again = jax.random.clone(key)
  found = transforms.similar_target_partners(again, targets, sigma=0.05)
  others = np.arange(300) != 7
  assert found[7] == 7 and (found[others] != 7).all()
  assert (found == clean)[100:].mean() > 0.9  # Far from it nothing changes.


def test_similar_target_partners_follow_a_traced_sigma_under_jit():
  targets = jnp.linspace(0.0, 1.0, 50)
  run = jax.jit(
    chex.assert_max_traces(
      lambda key, sigma: transforms.similar_target_partners(
        key, targets, sigma=sigma
      ),
      n=1,
    )
  )
  gaps = [
    float(
      jnp.abs(targets[run(jax.random.key(1), jnp.float32(s))] - targets).mean()
    )
    for s in (0.01, 0.1, 10.0)
  ]
  assert gaps[0] < 0.02 < gaps[1] < 0.12 < gaps[2]


def test_similar_target_partners_do_not_depend_on_the_chunks():
  targets = jnp.linspace(0.0, 1.0, 9)
  one, many = (
    transforms.similar_target_partners(
      jax.random.key(1), targets, sigma=0.5, chunk_size=chunk_size
    )
    for chunk_size in (100, 4)
  )
  np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize(
  "targets, options, error, message",
  [
    (np.arange(3), {}, TypeError, "must be floats, got int.*same_class_partn"),
    (np.ones(3, np.float32), {"sigma": 0.0}, ValueError, "must be above 0"),
    (np.ones(3, np.float32), {"sigma": -1.0}, ValueError, "0 to inf, got -1"),
    (np.ones(3, np.float32), {"chunk_size": 0}, ValueError, "least 1, got 0"),
    (np.ones(1, np.float32), {}, ValueError, "at least two examples"),
  ],
)
def test_similar_target_partners_refuses_bad_values(
  targets, options, error, message
):
  with pytest.raises(error, match=message):
    transforms.similar_target_partners(
      jax.random.key(0), targets, **{"sigma": 1.0, **options}
    )
