"""Proves that every example is seen once an epoch."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.data import resident


@pytest.mark.parametrize("count, batch", [(75, 16), (64, 16), (5, 8), (1, 2)])
def test_each_epoch_is_a_permutation_and_padding_is_masked(
    getkey, count, batch):
  rows, where = resident.shuffled_rows(getkey(),
                                       count,
                                       batch_size=batch,
                                       epochs=3)
  steps = -(-count // batch)
  chex.assert_shape([rows, where], (3, steps, batch))
  for epoch_rows, epoch_where in zip(np.asarray(rows), np.asarray(where)):
    np.testing.assert_array_equal(np.sort(epoch_rows[epoch_where]),
                                  np.arange(count))
    assert epoch_where.sum() == count and epoch_where[:-1].all()
  assert rows.min() >= 0 and rows.max() < count


def test_epochs_and_keys_differ(getkey):
  shuffle = jax.jit(
      lambda key: resident.shuffled_rows(key, 100, batch_size=10, epochs=2)[0])
  first, second = shuffle(getkey()), shuffle(getkey())
  assert not jnp.array_equal(first[0], first[1])
  assert not jnp.array_equal(first, second)


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_empty_sizes_are_refused(getkey, sizes):
  count, batch, epochs = sizes
  with pytest.raises(ValueError, match="must be at least 1"):
    resident.shuffled_rows(getkey(), count, batch_size=batch, epochs=epochs)
