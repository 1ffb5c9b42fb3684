"""Tests of the order of examples: each is seen once an epoch."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.data.in_memory import order


@pytest.mark.parametrize("count, batch", [(75, 16), (64, 16), (5, 8), (1, 2)])
def test_epoch_rows_is_a_permutation_and_masks_padding(getkey, count, batch):
  steps = -(-count // batch)
  for _ in range(3):
    rows, where = map(
      np.asarray, order.epoch_rows(getkey(), count, batch_size=batch)
    )
    chex.assert_shape([rows, where], (steps, batch))
    np.testing.assert_array_equal(np.sort(rows[where]), np.arange(count))
    assert where.sum() == count and where[:-1].all()
    assert rows.min() >= 0 and rows.max() < count


def test_epoch_rows_differ_by_the_key(getkey):
  first, second = (
    order.epoch_rows(getkey(), 100, batch_size=10)[0] for _ in range(2)
  )
  assert not jnp.array_equal(first, second)


def test_epoch_rows_are_those_of_results_on_record(getkey):
  """Results that are on record hang on these values."""
  key = getkey()
  rows, where = order.epoch_rows(jax.random.clone(key), 10, batch_size=4)
  expected = np.append(jax.random.permutation(key, 10), [0, 0])
  np.testing.assert_array_equal(rows, expected.reshape(3, 4))
  assert rows.dtype == jnp.int32 and where.dtype == jnp.bool_
  keys = jax.random.split(jax.random.key(0), 2)
  rows = [order.epoch_rows(k, 6, batch_size=4)[0].tolist() for k in keys]
  assert rows == [[[0, 2, 4, 1], [5, 3, 0, 0]], [[0, 3, 5, 1], [4, 2, 0, 0]]]


def test_epoch_rows_under_vmap_are_those_of_each_key(getkey):
  keys = jax.random.split(getkey(), 3)

  def draw(key):
    return order.epoch_rows(key, 75, batch_size=16)

  rows, where = jax.vmap(draw)(jax.random.clone(keys))
  for epoch, key in enumerate(keys):
    chex.assert_trees_all_equal((rows[epoch], where[epoch]), draw(key))


@pytest.mark.parametrize("count, batch", [(75, 16), (64, 16), (5, 8), (1, 2)])
def test_padded_rows_are_in_order_and_padding_is_masked(count, batch):
  rows, where = order.padded_rows(count, batch_size=batch)
  chex.assert_shape([rows, where], (-(-count // batch), batch))
  assert rows.dtype == jnp.int32 and where.dtype == jnp.bool_
  np.testing.assert_array_equal(rows[where], np.arange(count))
  assert where.sum() == count and where[:-1].all()
  assert not rows[~where].any()


@pytest.mark.parametrize("count, batch", [(0, 1), (1, 0)])
def test_rows_of_empty_sizes_raise(getkey, count, batch):
  with pytest.raises(ValueError, match=r"\w+ \(0\) must be at least 1"):
    order.epoch_rows(getkey(), count, batch_size=batch)
  with pytest.raises(ValueError, match=r"\w+ \(0\) must be at least 1"):
    order.padded_rows(count, batch_size=batch)
