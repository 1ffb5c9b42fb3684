"""Tests of the order of examples in device memory."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.data.in_memory import order


@pytest.mark.parametrize("count, batch", [(75, 16), (64, 16), (5, 8), (1, 2)])
def test_shuffled_rows_are_masked_permutations(getkey, count, batch):
  rows, where = order.shuffled_rows(getkey(), count, batch_size=batch, epochs=3)
  steps = -(-count // batch)
  chex.assert_shape([rows, where], (3, steps, batch))
  for epoch_rows, epoch_where in zip(np.asarray(rows), np.asarray(where)):
    np.testing.assert_array_equal(
      np.sort(epoch_rows[epoch_where]), np.arange(count)
    )
    assert epoch_where.sum() == count and epoch_where[:-1].all()
  assert rows.min() >= 0 and rows.max() < count


def test_shuffled_rows_differ_between_epochs_and_keys(getkey):
  shuffle = jax.jit(
    lambda key: order.shuffled_rows(key, 100, batch_size=10, epochs=2)[0]
  )
  first, second = shuffle(getkey()), shuffle(getkey())
  assert not jnp.array_equal(first[0], first[1])
  assert not jnp.array_equal(first, second)


def test_shuffled_rows_do_not_change_between_versions(getkey):
  """Recorded results depend on these values."""
  key = getkey()
  rows, where = order.shuffled_rows(
    jax.random.clone(key), 10, batch_size=4, epochs=2
  )
  for epoch, k in enumerate(jax.random.split(jax.random.clone(key), 2)):
    expected = np.append(jax.random.permutation(k, 10), [0, 0])
    np.testing.assert_array_equal(rows[epoch], expected.reshape(3, 4))
  assert rows.dtype == jnp.int32 and where.dtype == jnp.bool_
  rows, _ = order.shuffled_rows(jax.random.key(0), 6, batch_size=4, epochs=2)
  assert rows.tolist() == [
    [[0, 2, 4, 1], [5, 3, 0, 0]],
    [[0, 3, 5, 1], [4, 2, 0, 0]],
  ]


def test_shuffled_rows_are_the_epoch_rows_of_split_keys(getkey):
  key = getkey()
  rows, where = order.shuffled_rows(
    jax.random.clone(key), 75, batch_size=16, epochs=3
  )
  for epoch, k in enumerate(jax.random.split(key, 3)):
    chex.assert_trees_all_equal(
      (rows[epoch], where[epoch]), order.epoch_rows(k, 75, batch_size=16)
    )


@pytest.mark.parametrize("count, batch", [(75, 16), (64, 16), (5, 8), (1, 2)])
def test_padded_rows_are_in_order_and_masked(count, batch):
  rows, where = order.padded_rows(count, batch_size=batch)
  chex.assert_shape([rows, where], (-(-count // batch), batch))
  assert rows.dtype == jnp.int32 and where.dtype == jnp.bool_
  np.testing.assert_array_equal(rows[where], np.arange(count))
  assert where.sum() == count and where[:-1].all()
  assert not rows[~where].any()


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_shuffled_epoch_and_padded_rows_refuse_empty_sizes(getkey, sizes):
  count, batch, epochs = sizes
  with pytest.raises(ValueError, match="must be at least 1"):
    order.shuffled_rows(getkey(), count, batch_size=batch, epochs=epochs)
  if epochs:
    with pytest.raises(ValueError, match=r"\w+ \(0\) must be at least 1"):
      order.epoch_rows(getkey(), count, batch_size=batch)
    with pytest.raises(ValueError, match=r"\w+ \(0\) must be at least 1"):
      order.padded_rows(count, batch_size=batch)
