"""Tests of the comparison of ids with their range."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms


@pytest.mark.parametrize("dtype", ("int8", "uint8", "int32", "uint32"))
def test_in_range_of_every_integer_dtype(dtype):
  ids = jnp.asarray([0, 4, 5, 127]).astype(dtype)
  chex.assert_trees_all_equal(
    transforms.in_range(ids, size=5, name="ids"), jnp.array([1, 1, 0, 0], bool)
  )
  assert transforms.in_range(ids, size=1000, name="ids").all()


def test_in_range_of_negative_ids_is_false_eager_and_traced():
  ids = jnp.array([-1, -100, 0])
  wanted = jnp.array([0, 0, 1], bool)

  def valid(ids):
    return transforms.in_range(ids, size=1000, name="ids")

  chex.assert_trees_all_equal(valid(ids), jax.jit(valid)(ids), wanted)


@pytest.mark.parametrize("bad", (-1, 3))
def test_in_range_names_a_bad_id_of_a_numpy_array(bad):
  with pytest.raises(ValueError, match=f"partners must be.*0 to 2, got {bad}"):
    transforms.in_range(np.array([0, bad, 1]), size=3, name="partners")


def test_one_hot_is_nan_where_an_id_is_out_of_range():
  vectors = transforms.one_hot(jnp.array([1, -1, 3]), 3)
  nan = [np.nan] * 3
  chex.assert_trees_all_equal(vectors, jnp.array([[0.0, 1, 0], nan, nan]))


def test_one_hot_refuses_a_single_class():
  with pytest.raises(ValueError, match="2 logits"):
    transforms.one_hot(jnp.array([0]), 1)


def test_nan_unless_is_quiet_under_debug_nans_where_all_is_valid():
  with jax.debug_nans(True):
    ones = jnp.ones(2)
    valid = jnp.ones(2, bool)
    chex.assert_trees_all_equal(transforms.nan_unless(valid, ones), ones)
    with pytest.raises(FloatingPointError):
      transforms.nan_unless(~valid, ones)
