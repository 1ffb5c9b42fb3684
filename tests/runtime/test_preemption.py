"""Tests of SIGTERM in one process; test_distributed has several."""

import signal
import threading

import pytest

from mixup_jax.runtime import preemption


@pytest.fixture
def handled():
  """Collects the signals that reach the outer handler."""
  numbers = []
  before = signal.signal(
    signal.SIGTERM, lambda number, _: numbers.append(number)
  )
  yield numbers
  signal.signal(signal.SIGTERM, before)


def test_preemption_keeps_a_notice_and_ignores_more(handled):
  with preemption.Preemption() as preempted:
    assert not preempted.reached(1)
    signal.raise_signal(signal.SIGTERM)
    assert preempted.reached(2)
    signal.raise_signal(signal.SIGTERM)
    assert preempted.reached(3)
  assert not handled


def test_preemption_restores_the_handler_after_an_error(handled):
  with pytest.raises(KeyError), preemption.Preemption():
    raise KeyError
  signal.raise_signal(signal.SIGTERM)
  assert handled == [signal.SIGTERM]


def test_preemption_installs_no_handler_in_another_thread(handled):
  found = []

  def ask():
    with preemption.Preemption() as preempted:
      found.append(preempted.reached(1))

  thread = threading.Thread(target=ask)
  thread.start()
  thread.join()
  assert found == [False]
  signal.raise_signal(signal.SIGTERM)
  assert handled == [signal.SIGTERM]
