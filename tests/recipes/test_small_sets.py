"""Tests of loading the small sets that a config names."""

import ml_collections
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
  config.train_fraction = 0.0
  config.model.name = "preact_resnet18"
  problem = small_sets.load(config, "digits")
  assert problem.features.shape == (1797, 8, 8, 1)
  config.num_train = 100
  limited = small_sets.limit(config, "num_train", problem)
  np.testing.assert_array_equal(limited.splits.train_rows[1], range(100))


def test_load_splits_a_table_by_the_seeds_of_the_config():
  later = load("iris", seeds=1, first_seed=2)
  all_three = load("iris", seeds=3)
  np.testing.assert_array_equal(
    later.splits.train_rows[0], all_three.splits.train_rows[2]
  )


@pytest.mark.parametrize("count, expected", [(20, 20), (75, 75), (0, 75)])
def test_limit_takes_the_first_rows_of_each_split(count, expected):
  problem = load("iris", seeds=3)
  config = ml_collections.ConfigDict({"num_train": count})
  limited = small_sets.limit(config, "num_train", problem)
  np.testing.assert_array_equal(
    limited.splits.train_rows, problem.splits.train_rows[:, :expected]
  )
  np.testing.assert_array_equal(
    limited.splits.test_rows, problem.splits.test_rows
  )


def test_limit_refuses_more_rows_than_there_are():
  config = ml_collections.ConfigDict({"vae_num_train": 76})
  with pytest.raises(
    ValueError, match="vae_num_train=76, but iris has 75 train"
  ):
    small_sets.limit(config, "vae_num_train", load("iris"))


def test_load_scales_tables_as_the_config_says():
  problem = small_sets.load(tabular.get_config("smoke"), "iris")
  assert problem.splits.train_rows.shape == (4, 75)
  assert problem.splits.shift.min() > 0  # Columns are scaled to [0, 1].


@pytest.mark.parametrize(
  "name, changes, message",
  [
    ("irsi", {}, "Did you mean 'iris'"),
    ("iris", {"train_fraction": 0.0}, "train_fraction=0.0 leaves no rows"),
    ("digits", {"train_fraction": 1.0}, "train_fraction=1.0 leaves no rows"),
  ],
)
def test_load_refuses_unknown_names_and_impossible_sizes(
  name, changes, message
):
  with pytest.raises(ValueError, match=message):
    load(name, **changes)
