"""Tests of the splits and scales of sets with a split for each seed."""

import numpy as np
import pytest

from mixup_jax.data import problems
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import tables


def digits(**changes):
  options = {"seeds": range(2), "train_fraction": 0.5, "flat": True}
  return problems.split_images(images.load("digits"), **{**options, **changes})


def iris(**changes):
  options = {"seeds": range(3), "train_fraction": 0.5, "scaling": "standard"}
  return problems.split_table(tables.load("iris"), **{**options, **changes})


def test_split_images_splits_anew_for_each_seed():
  problem = digits()
  assert problem.image_shape == (8, 8, 1) and problem.num_classes == 10
  split = problem.splits
  assert split.train_rows.shape == (2, 898)
  assert split.test_rows.shape == (2, 899)
  for train, test in zip(split.train_rows, split.test_rows):
    assert sorted([*train, *test]) == list(range(1797))
  assert (split.train_rows[0] != split.train_rows[1]).any()
  pixels = problem.features
  assert pixels.dtype == np.uint8 and pixels.shape == (1797, 64)
  scaled = (pixels - split.shift[0]) / split.scale[0]
  assert abs(scaled.mean()) < 0.01 and abs(scaled.std() - 1) < 0.01


def test_split_images_may_keep_the_split_of_the_set_and_its_shape():
  problem = digits(train_fraction=0.0, flat=False).limit(100)
  assert problem.features.shape == (1797, 8, 8, 1)
  assert problem.splits.shift.shape == (2, 8, 8, 1)
  np.testing.assert_array_equal(problem.splits.train_rows[1], range(100))
  np.testing.assert_array_equal(problem.splits.test_rows[1], range(1437, 1797))
  labels = images.load("digits").test_labels
  np.testing.assert_array_equal(problem.labels[1437:], labels)


def test_overlap_is_the_test_rows_for_each_training_row():
  assert iris(train_fraction=0.8).overlap() == 0.25
  assert iris().limit(25).overlap() == 3
  assert digits().overlap() == 899 / 898
  assert digits(train_fraction=0.0).overlap() == 0  # All runs have one split.


def test_split_images_scales_each_channel_alone():
  data = images.load("digits")._replace(mean=(0.5,), std=(0.25,))
  split = problems.split_images(
    data, seeds=[0], train_fraction=0.5, flat=False
  ).splits
  np.testing.assert_array_equal(split.shift, np.full((1, 8, 8, 1), 127.5))
  np.testing.assert_array_equal(split.scale, np.full((1, 8, 8, 1), 63.75))


def test_take_has_the_splits_of_some_seeds():
  problem = iris()
  assert problem.image_shape == () and problem.num_classes == 3
  assert problem.splits.train_rows.shape == (3, 75)
  some = problem.take(slice(1, 3))
  np.testing.assert_array_equal(
    some.splits.test_rows, problem.splits.test_rows[1:]
  )
  first = iris(seeds=[2])
  np.testing.assert_array_equal(
    first.splits.train_rows[0], some.splits.train_rows[1]
  )


@pytest.mark.parametrize(
  "make, changes, message",
  [
    (iris, {"train_fraction": 0.0}, "train_fraction=0.0 leaves no rows"),
    (digits, {"train_fraction": 1.0}, "train_fraction=1.0 leaves no rows"),
  ],
)
def test_split_with_an_empty_part_raises(make, changes, message):
  with pytest.raises(ValueError, match=message):
    make(**changes)
