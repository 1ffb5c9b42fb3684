"""Tests of splitting and scaling tables."""

import chex
import hypothesis
import hypothesis.strategies as st
import jax
import numpy as np
import pytest

from mixup_jax.data import splits
from mixup_jax.data.in_memory import tables

NAN = np.nan


def _table(features, labels=None, categories=None):
  features = np.asarray(features, np.float32)
  rows, columns = features.shape
  labels = np.arange(rows) % 2 if labels is None else labels
  return tables.Table(
    "made",
    features,
    np.asarray(labels, np.int32),
    2,
    categories or (0,) * columns,
  )


@hypothesis.given(
  labels=st.lists(st.integers(0, 6), min_size=3, max_size=60),
  fraction=st.floats(0.05, 0.95),
  seed=st.integers(0, 1000),
)
def test_stratified_split_is_an_even_partition(labels, fraction, seed):
  labels = np.asarray(labels)
  size = int(np.floor(fraction * len(labels) + 1e-9))
  hypothesis.assume(0 < size < len(labels))
  train, test = splits.stratified_split(
    labels, train_fraction=fraction, seed=seed
  )
  assert len(train) == size
  assert train.dtype == test.dtype == np.int32
  np.testing.assert_array_equal(
    np.sort(np.concatenate([train, test])), np.arange(len(labels))
  )
  # Every class has one of the two whole numbers around its share.
  share = np.bincount(labels) * size / len(labels)
  taken = np.bincount(labels[train], minlength=len(share))
  assert (np.abs(taken - share) < 1).all()


@pytest.mark.parametrize("fraction", (0.5, 0.3))
def test_stratified_split_is_even_wherever_the_pattern_starts(fraction):
  # A fractional share of 31 rows: the pattern must have no seam.
  labels = np.random.default_rng(0).integers(0, 5, 31)
  share = np.bincount(labels) * np.floor(fraction * 31) / 31
  for seed in range(200):
    train, _ = splits.stratified_split(
      labels, train_fraction=fraction, seed=seed
    )
    taken = np.bincount(labels[train], minlength=5)
    assert (np.abs(taken - share) < 1).all()


def test_stratified_split_corrects_the_rounding_of_the_fraction():
  # In floating point, 0.29 * 100 is slightly less than 29.
  train, _ = splits.stratified_split(
    np.zeros(100, int), train_fraction=0.29, seed=0
  )
  assert len(train) == 29


def test_stratified_split_depends_on_the_seed():
  labels = np.arange(100) % 3

  def split(seed):
    return np.concatenate(
      splits.stratified_split(labels, train_fraction=0.5, seed=seed)
    )

  np.testing.assert_array_equal(split(1), split(1))
  assert (split(1) != split(2)).any()


@pytest.mark.parametrize("fraction", (0.5, 0.3))
def test_stratified_split_trains_on_every_row_equally_often(fraction):
  # Classes of one, two and many rows; 20 rows, so that shares are whole.
  labels = np.asarray([0, 1, 1, 2, 3] + [4] * 15)
  repeats = 2000
  counts = np.zeros(20)
  for seed in range(repeats):
    train, _ = splits.stratified_split(
      labels, train_fraction=fraction, seed=seed
    )
    counts[train] += 1
  deviation = np.sqrt(fraction * (1 - fraction) / repeats)
  np.testing.assert_allclose(counts / repeats, fraction, atol=4 * deviation)


def test_stratified_split_parts_are_in_random_order():
  labels = np.repeat([0, 1], 500)
  for rows in splits.stratified_split(labels, train_fraction=0.5, seed=0):
    assert abs(labels[rows[:250]].mean() - 0.5) < 0.15
    assert (np.diff(rows) < 0).any()


@pytest.mark.parametrize("fraction", (0, 0.01, 1, 1.5))
def test_stratified_split_refuses_an_empty_part(fraction):
  with pytest.raises(ValueError, match=f"train_fraction={fraction} leaves no"):
    splits.stratified_split(np.zeros(10, int), train_fraction=fraction, seed=0)


@pytest.mark.parametrize(
  "scaling,low,high", (("standard", -3, 3), ("min_max", 0, 1))
)
def test_split_scaled_uses_the_training_rows_alone(scaling, low, high):
  features = np.random.default_rng(0).uniform(5, 9, (40, 3))
  table = _table(features)
  split = splits.split_scaled(
    table, train_fraction=0.5, seed=0, scaling=scaling
  )
  changed = table.features.copy()
  changed[split.test_rows] *= 100
  again = splits.split_scaled(
    table._replace(features=changed),
    train_fraction=0.5,
    seed=0,
    scaling=scaling,
  )
  chex.assert_trees_all_equal(split, again)
  train = np.asarray(split.scaled(table.features[split.train_rows]))
  assert low <= train.min() and train.max() <= high
  if scaling == "standard":
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(0), 1, rtol=1e-6)
  else:
    np.testing.assert_array_equal(train.min(0), 0)
    np.testing.assert_allclose(train.max(0), 1, rtol=1e-6)


def test_split_scaled_none_only_replaces_missing_values():
  table = _table([[1, NAN], [3, 5], [5, 7], [7, 9]])
  split = splits.split_scaled(table, train_fraction=0.5, seed=0, scaling="none")
  scaled = np.asarray(split.scaled(table.features))
  np.testing.assert_array_equal(scaled[:, 0], table.features[:, 0])
  assert scaled[0, 1] == np.nanmean(table.features[split.train_rows, 1])


@pytest.mark.parametrize("scaling", ("standard", "min_max", "none"))
def test_split_scaled_of_constant_and_missing_columns_is_finite(scaling):
  features = np.full((12, 3), 0.1, np.float32)
  features[:, 1] = NAN
  features[:, 2] = np.arange(12)
  features[3, 2] = NAN
  split = splits.split_scaled(
    _table(features), train_fraction=0.5, seed=0, scaling=scaling
  )
  chex.assert_shape(split[2:], (3,))
  for part in split[2:]:
    assert part.dtype == np.float32
  np.testing.assert_array_equal(split.scale[:2], 1)
  assert split.fill[1] == 0
  scaled = jax.jit(split.scaled)(features)
  chex.assert_tree_all_finite(scaled)
  expected = 0.1 if scaling == "none" else 0
  np.testing.assert_allclose(scaled[:, 0], expected, rtol=1e-6)
  np.testing.assert_array_equal(scaled[:, 1], 0)


def test_split_scaled_replaces_missing_values_by_the_training_mean():
  features = np.random.default_rng(0).normal(3, 2, (30, 2))
  features[::3, 0] = NAN
  table = _table(features)
  split = splits.split_scaled(
    table, train_fraction=0.5, seed=1, scaling="standard"
  )
  np.testing.assert_allclose(
    split.fill, np.nanmean(table.features[split.train_rows], 0), rtol=1e-6
  )
  # The standardised mean is 0; statistics ignore missing values.
  scaled = np.asarray(split.scaled(table.features))
  np.testing.assert_allclose(scaled[::3, 0], 0, atol=1e-6)


def test_split_scaled_refuses_an_unknown_scaling():
  with pytest.raises(ValueError, match="scaling 'minmax': choose one of stand"):
    splits.split_scaled(
      _table([[1], [2]]), train_fraction=0.5, seed=0, scaling="minmax"
    )
