"""Tests of the threads that fill batches ahead."""

import itertools
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from mixup_jax.data.streaming import prefetch


def _fill(step, rows, batch):
  for row in rows:
    batch[row] = 100 * step + row
  return len(rows)


def _filled(steps=range(4), fill=_fill, workers=2):
  return prefetch.filled(
    steps, lambda: np.zeros(20, int), fill, rows=20, workers=workers
  )


def _threads():
  return [t for t in threading.enumerate() if t.name.startswith("input")]


@pytest.mark.parametrize("workers", (0, 1, 5))
def test_batches_come_in_order_and_whole(workers):

  def late(step, rows, batch):
    time.sleep(0.002 * (3 - step))  # Later ones would be ready sooner.
    return _fill(step, rows, batch)

  found = list(_filled(fill=late, workers=workers))
  assert len(found) == 4
  for step, (batch, reports) in enumerate(found):
    np.testing.assert_array_equal(batch, 100 * step + np.arange(20))
    assert sum(reports) == 20
  assert not _threads()


def test_threads_stay_a_little_ahead_and_end_with_the_iterator():
  steps = []

  def noted():
    for step in itertools.count():
      steps.append(step)
      yield step

  batches = _filled(noted())
  assert steps == []
  next(batches)
  assert steps == [0, 1, 2]
  assert 1 <= len(_threads()) <= 2
  batches.close()
  assert not _threads()


def test_rows_are_filled_at_the_same_time():
  both = threading.Barrier(2)

  def meet(step, rows, batch):
    both.wait(timeout=10)
    return _fill(step, rows, batch)

  assert len(list(_filled(range(1), fill=meet))) == 1


@pytest.mark.parametrize("workers", (0, 2))
def test_a_failure_comes_with_its_batch(workers):

  def fail(step, rows, batch):
    if step == 2:
      raise KeyError("surprise")
    return _fill(step, rows, batch)

  batches = _filled(fill=fail, workers=workers)
  next(batches)
  next(batches)
  with pytest.raises(KeyError, match="surprise"):
    next(batches)
  assert not _threads()


def test_a_program_may_end_without_a_word_in_the_middle():
  code = (
    "import itertools; from mixup_jax.data.streaming import prefetch; "
    "batches = prefetch.filled(itertools.count(), list, "
    "lambda *_: None, rows=20, workers=2); next(batches)"
  )
  done = subprocess.run(
    [sys.executable, "-W", "error", "-c", code],
    capture_output=True,
    text=True,
    timeout=60,
    check=True,
  )
  assert done.stdout == done.stderr == ""
