"""Proves the splits and scales of the sets."""

import numpy as np
import pytest

from configs import vae_mixing as configs
from experiments.vae_mixing import problems


def load(name, **changes):
  config = configs.get_config(f"dataset={name},smoke")
  config.update(changes)
  return problems.load(config, name)


def test_digits_are_split_anew_for_each_seed():
  source = load("digits")
  assert source.picture == (8, 8, 1) and source.white == 255
  split = source.problem.splits
  assert split.train_rows.shape == (2, 898) and split.test_rows.shape == (
    2,
    899,
  )
  for train, test in zip(split.train_rows, split.test_rows):
    assert sorted([*train, *test]) == list(range(1797))
  assert (split.train_rows[0] != split.train_rows[1]).any()
  pixels = source.problem.features
  assert pixels.dtype == np.uint8 and pixels.shape == (1797, 64)
  scaled = (pixels - split.shift[0]) / split.scale[0]
  assert abs(scaled.mean()) < 0.01 and abs(scaled.std() - 1) < 0.01


def test_the_split_of_a_set_may_be_kept_for_networks_of_images():
  config = configs.get_config("dataset=digits,smoke")
  config.train_fraction, config.num_train = 0.0, 100
  config.model.name = "preact_resnet18"
  problem = problems.load(config, "digits").problem
  assert problem.features.shape == (1797, 8, 8, 1)
  assert problem.splits.shift.shape == (2, 8, 8, 1)
  np.testing.assert_array_equal(problem.splits.train_rows[1], range(100))
  np.testing.assert_array_equal(problem.splits.test_rows[1], range(1437, 1797))


def test_tables_and_seeds_of_them():
  source = load("iris", seeds=3)
  assert source.picture == () and source.problem.num_classes == 3
  assert source.problem.splits.train_rows.shape == (3, 75)
  some = problems.take(source.problem, slice(1, 3))
  np.testing.assert_array_equal(
    some.splits.test_rows, source.problem.splits.test_rows[1:]
  )
  first = load("iris", seeds=1, first_seed=2)
  np.testing.assert_array_equal(
    first.problem.splits.train_rows[0], some.splits.train_rows[1]
  )


@pytest.mark.parametrize(
  "name, changes, message",
  [
    ("irsi", {}, "Did you mean 'iris'"),
    ("iris", {"num_train": 76}, "iris has 75 training examples"),
    ("iris", {"train_fraction": 0.0}, "train_fraction=0.0 leaves no rows"),
    ("digits", {"train_fraction": 1.0}, "train_fraction=1.0 leaves no rows"),
  ],
)
def test_what_cannot_be_is_refused(name, changes, message):
  with pytest.raises(ValueError, match=message):
    load(name, **changes)
