"""Tests of the functions that choose partners."""

import chex
import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from mixup_jax import transforms

SIZES = st.integers(min_value=2, max_value=40)
SEEDS = st.integers(min_value=0, max_value=2**31 - 1)
LABELS = st.lists(st.integers(0, 3), min_size=2, max_size=24)


def assert_permutation(partner, batch_size):
  chex.assert_shape(partner, (batch_size,))
  chex.assert_type(partner, jnp.int32)
  chex.assert_trees_all_equal(np.sort(partner), np.arange(batch_size))


@hypothesis.given(batch_size=SIZES, seed=SEEDS)
def test_random_partners_are_a_permutation(batch_size, seed):
  partner = transforms.random_partners(jax.random.key(seed), batch_size)
  assert_permutation(partner, batch_size)


def test_random_partners_are_uniform(getkey):
  keys = jax.random.split(getkey(), 6000)
  draws = jax.vmap(lambda k: transforms.random_partners(k, 3))(keys)
  _, counts = np.unique(np.asarray(draws), axis=0, return_counts=True)
  assert len(counts) == 6
  assert scipy.stats.chisquare(counts).pvalue > 1e-3


@hypothesis.given(batch_size=SIZES, shift=st.integers(-50, 50))
def test_rolled_partners_are_a_permutation_without_fixed_points(
  batch_size, shift
):
  hypothesis.assume(shift % batch_size)
  partner = transforms.rolled_partners(batch_size, shift=shift)
  assert_permutation(partner, batch_size)
  rows = np.arange(batch_size)
  chex.assert_trees_all_equal(np.asarray(partner), (rows - shift) % batch_size)
  assert not np.any(np.asarray(partner) == rows)


@hypothesis.given(labels=LABELS, seed=SEEDS)
def test_same_class_partners_are_a_permutation_within_classes(labels, seed):
  labels = jnp.asarray(labels)
  partner = transforms.same_class_partners(jax.random.key(seed), labels)
  assert_permutation(partner, labels.size)
  chex.assert_trees_all_equal(labels[partner], labels)


def test_same_class_partners_are_uniform(getkey):
  labels = jnp.asarray([5, 1, 5, 5])
  keys = jax.random.split(getkey(), 6000)
  draws = jax.vmap(lambda k: transforms.same_class_partners(k, labels))(keys)
  _, counts = np.unique(np.asarray(draws), axis=0, return_counts=True)
  assert len(counts) == 6
  assert scipy.stats.chisquare(counts).pvalue > 1e-3


@hypothesis.given(labels=LABELS, seed=SEEDS)
def test_different_class_partners_have_another_class(labels, seed):
  partner = jax.jit(transforms.different_class_partners)(
    jax.random.key(seed), jnp.asarray(labels)
  )
  chex.assert_type(partner, jnp.int32)
  labels, partner = np.asarray(labels), np.asarray(partner)
  if len(set(labels.tolist())) == 1:
    np.testing.assert_array_equal(partner, np.arange(labels.size))
  else:
    assert not np.any(labels[partner] == labels)


def test_different_class_partners_are_uniform_over_the_others(getkey):
  labels = jnp.asarray([2, 0, 1, 2, 1])
  keys = jax.random.split(getkey(), 6000)
  draws = jax.vmap(lambda k: transforms.different_class_partners(k, labels))(
    keys
  )
  for row, others in enumerate(
    [(1, 2, 4), (0, 2, 3, 4), (0, 1, 3), (1, 2, 4), (0, 1, 3)]
  ):
    values, counts = np.unique(np.asarray(draws[:, row]), return_counts=True)
    assert tuple(values) == others
    assert scipy.stats.chisquare(counts).pvalue > 1e-4


def test_partners_trace_once_for_every_key(getkey):
  labels = jnp.asarray([0, 1, 0, 2])
  pair = jax.jit(
    chex.assert_max_traces(
      lambda key: jnp.stack(
        [
          transforms.random_partners(jax.random.fold_in(key, 0), 4),
          transforms.same_class_partners(jax.random.fold_in(key, 1), labels),
          transforms.different_class_partners(
            jax.random.fold_in(key, 2), labels
          ),
        ]
      ),
      n=1,
    )
  )
  for _ in range(3):
    chex.assert_shape(pair(getkey()), (3, 4))


def test_class_partners_take_numpy_labels_under_jit(getkey):
  labels = np.array([0, 1, 1, 2])
  same = jax.jit(lambda key: transforms.same_class_partners(key, labels))
  other = jax.jit(lambda key: transforms.different_class_partners(key, labels))
  chex.assert_trees_all_equal(labels[same(getkey())], labels)
  assert not np.any(labels[other(getkey())] == labels)


@pytest.mark.parametrize(
  "pair",
  [
    lambda key: transforms.random_partners(key, 1),
    lambda key: transforms.rolled_partners(1),
    lambda key: transforms.same_class_partners(key, jnp.zeros(1, jnp.int32)),
    lambda key: transforms.different_class_partners(
      key, jnp.zeros(1, jnp.int32)
    ),
  ],
)
def test_partners_refuse_a_batch_of_one(getkey, pair):
  with pytest.raises(
    ValueError, match="at least two examples, got a batch of 1.*larger batch"
  ):
    pair(getkey())


def test_rolled_partners_refuse_a_shift_by_the_batch_size():
  with pytest.raises(ValueError, match="shift of 8 .* batch of 4.*shift=1"):
    transforms.rolled_partners(4, shift=8)
