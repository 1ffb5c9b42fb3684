"""Tests of what comes when in a stream."""

import numpy as np
import pytest

from mixup_jax.data.streaming import order as stream_order


def test_every_epoch_has_an_order_of_its_own():
  orders = [
    stream_order.epoch_order(50, seed, epoch)
    for seed in (0, 1)
    for epoch in (0, 1)
  ]
  for order in orders:
    np.testing.assert_array_equal(np.sort(order), np.arange(50))
  assert len({tuple(order) for order in orders}) == 4
  again = stream_order.epoch_order.__wrapped__(50, 0, 0)
  np.testing.assert_array_equal(orders[0], again)
  with pytest.raises(ValueError, match="read-only"):
    again[0] = 1


def test_draws_of_a_position_do_not_depend_on_the_others():
  whole = stream_order.draws(3, 5, range(20))
  parts = [stream_order.draws(3, 5, range(i, i + 4)) for i in range(0, 20, 4)]
  np.testing.assert_array_equal(whole, np.concatenate(parts))
  ones = [stream_order.draws(3, 5, range(i, i + 1)) for i in range(20)]
  np.testing.assert_array_equal(whole, np.concatenate(ones))
  assert len(np.unique(whole)) == whole.size


@pytest.mark.parametrize("seed,epoch", ((4, 5), (3, 6)))
def test_draws_differ_between_seeds_and_epochs(seed, epoch):
  first = stream_order.draws(3, 5, range(9))
  assert not np.isin(stream_order.draws(seed, epoch, range(9)), first).any()


def test_hosts_share_the_rows_of_a_batch_in_order():
  rows = [list(stream_order.local_rows(12, p, 4)) for p in range(4)]
  assert sum(rows, []) == list(range(12))
  assert {len(r) for r in rows} == {3}


@pytest.mark.parametrize(
  "arguments,message",
  (
    ((10, 0, 4), "4 processes cannot share a batch of 10"),
    ((0, 0, 1), "cannot share a batch of 0"),
    ((8, 0, 0), "0 processes cannot share"),
    ((8, 2, 2), "process_index 2 is not one of 2"),
    ((8, -1, 2), "process_index -1 is not"),
  ),
)
def test_hosts_that_do_not_fit_are_refused(arguments, message):
  with pytest.raises(ValueError, match=message):
    stream_order.local_rows(*arguments)
