"""Tests of loading the small sets that a config names."""

import numpy as np
import pytest

from configs import tabular
from configs import vae_mixing
from mixup_jax.recipes import small_sets


def load(name, **changes):
  config = vae_mixing.get_config(f"dataset={name},smoke")
  config.update(changes)
  return small_sets.load(config, name)


def test_load_shapes_images_for_the_network():
  assert load("digits").features.shape == (1797, 64)
  config = vae_mixing.get_config("dataset=digits,smoke")
  config.train_fraction, config.num_train = 0.0, 100
  config.model.name = "preact_resnet18"
  problem = small_sets.load(config, "digits")
  assert problem.features.shape == (1797, 8, 8, 1)
  np.testing.assert_array_equal(problem.splits.train_rows[1], range(100))


def test_load_splits_a_table_by_the_seeds_of_the_config():
  later = load("iris", seeds=1, first_seed=2)
  all_three = load("iris", seeds=3)
  np.testing.assert_array_equal(
    later.splits.train_rows[0], all_three.splits.train_rows[2]
  )
  small = load("iris", num_train=20).splits.train_rows
  np.testing.assert_array_equal(small[0], all_three.splits.train_rows[0, :20])


def test_load_serves_configs_without_num_train():
  problem = small_sets.load(tabular.get_config("smoke"), "iris")
  assert problem.splits.train_rows.shape == (4, 75)
  assert problem.splits.shift.min() > 0  # Columns are scaled to [0, 1].


@pytest.mark.parametrize(
  "name, changes, message",
  [
    ("irsi", {}, "Did you mean 'iris'"),
    ("iris", {"num_train": 76}, "iris has 75 training examples"),
    ("iris", {"train_fraction": 0.0}, "train_fraction=0.0 leaves no rows"),
    ("digits", {"train_fraction": 1.0}, "train_fraction=1.0 leaves no rows"),
  ],
)
def test_load_refuses_unknown_names_and_impossible_sizes(
  name, changes, message
):
  with pytest.raises(ValueError, match=message):
    load(name, **changes)
