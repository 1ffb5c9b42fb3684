"""Tests of label noise."""

import numpy as np
import pytest

from mixup_jax.data import corruption

LABELS = np.arange(20_000, dtype=np.int32) % 10


def corrupt(**options):
  defaults = {"share": 0.5, "num_classes": 10, "seed": 3}
  return corruption.corrupt(LABELS, **{**defaults, **options})


@pytest.mark.parametrize("share", (0.0, 0.2, 0.5, 0.8, 1.0))
def test_corrupt_replaces_the_share_and_keeps_the_rest(share):
  labels, replaced = corrupt(share=share)
  assert replaced.sum() == share * len(LABELS)
  np.testing.assert_array_equal(labels[~replaced], LABELS[~replaced])
  assert labels.dtype == LABELS.dtype and labels.shape == LABELS.shape


def test_corrupt_draws_uniformly_from_all_classes():
  labels, replaced = corrupt()
  counts = np.zeros((10, 10))
  np.add.at(counts, (LABELS[replaced], labels[replaced]), 1)
  # Chi-square with 90 degrees of freedom.
  expected = counts.sum(1, keepdims=True) / 10
  assert 50 < ((counts - expected) ** 2 / expected).sum() < 140


def test_corrupt_without_keep_true_draws_from_the_other_classes():
  labels, replaced = corrupt(keep_true=False)
  assert (labels[replaced] != LABELS[replaced]).all()
  steps = np.bincount((labels - LABELS)[replaced] % 10, minlength=10)
  assert steps[0] == 0 and steps[1:].min() > 950


def test_corrupt_depends_on_the_seed_and_copies_the_labels():
  before = LABELS.copy()
  first, again, other = (corrupt(seed=seed)[0] for seed in (1, 1, 2))
  np.testing.assert_array_equal(first, again)
  assert (first != other).any()
  np.testing.assert_array_equal(LABELS, before)


def test_corrupt_refuses_bad_values():
  with pytest.raises(ValueError, match="from 0 to 1, got 20"):
    corrupt(share=20)
  with pytest.raises(ValueError, match="num_classes must be at least 2, got 1"):
    corrupt(num_classes=1)


def test_corrupt_refuses_a_label_that_is_no_class():
  with pytest.raises(ValueError, match="labels must be from 0 to 2, got 3"):
    corruption.corrupt(np.array([0, 3]), share=0.5, num_classes=3, seed=0)
