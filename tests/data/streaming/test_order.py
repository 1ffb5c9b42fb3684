"""Tests of the order and the random draws of a stream."""

import numpy as np
import pytest

from mixup_jax.data.streaming import order


def test_epoch_order_is_a_new_permutation_each_epoch():
  orders = [
    order.epoch_order(50, seed, epoch) for seed in (0, 1) for epoch in (0, 1)
  ]
  for each in orders:
    np.testing.assert_array_equal(np.sort(each), np.arange(50))
  assert len({tuple(each) for each in orders}) == 4
  again = order.epoch_order.__wrapped__(50, 0, 0)
  np.testing.assert_array_equal(orders[0], again)
  with pytest.raises(ValueError, match="read-only"):
    again[0] = 1


def test_draws_of_a_position_do_not_depend_on_other_positions():
  whole = order.draws(3, 5, range(20))
  parts = [order.draws(3, 5, range(i, i + 4)) for i in range(0, 20, 4)]
  np.testing.assert_array_equal(whole, np.concatenate(parts))
  ones = [order.draws(3, 5, range(i, i + 1)) for i in range(20)]
  np.testing.assert_array_equal(whole, np.concatenate(ones))
  some = np.array([0, 1, 4, 5, 6, 11, 19])
  np.testing.assert_array_equal(order.draws(3, 5, some), whole[some])
  assert len(np.unique(whole)) == whole.size


@pytest.mark.parametrize("seed,epoch", ((4, 5), (3, 6)))
def test_draws_differ_between_seeds_and_epochs(seed, epoch):
  first = order.draws(3, 5, range(9))
  assert not np.isin(order.draws(seed, epoch, range(9)), first).any()
