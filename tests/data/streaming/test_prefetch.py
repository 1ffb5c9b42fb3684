"""Tests of filling batches ahead in threads."""

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
def test_filled_yields_complete_batches_in_order(workers):

  def late(step, rows, batch):
    time.sleep(0.002 * (3 - step))  # Later batches are ready sooner.
    return _fill(step, rows, batch)

  found = list(_filled(fill=late, workers=workers))
  assert len(found) == 4
  for step, (batch, reports) in enumerate(found):
    np.testing.assert_array_equal(batch, 100 * step + np.arange(20))
    assert sum(reports) == 20
  assert not _threads()


def test_filled_prefetches_two_batches_and_stops_when_closed():
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


def test_filled_fills_rows_in_parallel():
  both = threading.Barrier(2)

  def meet(step, rows, batch):
    both.wait(timeout=10)
    return _fill(step, rows, batch)

  assert len(list(_filled(range(1), fill=meet))) == 1


@pytest.mark.parametrize("workers", (0, 2))
def test_filled_raises_an_error_in_place_of_its_batch(workers):

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


def test_filled_is_silent_if_the_program_exits_midway():
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
