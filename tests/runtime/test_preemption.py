"""Proves what SIGTERM does to a run of one process; see test_distributed."""

import signal
import threading

import pytest

from mixup_jax.runtime import preemption


@pytest.fixture
def handled():
  """Collects the signals that reach the handler around."""
  numbers = []
  before = signal.signal(
    signal.SIGTERM, lambda number, _: numbers.append(number)
  )
  yield numbers
  signal.signal(signal.SIGTERM, before)


def test_a_notice_is_kept_and_more_do_no_harm(handled):
  with preemption.Preemption() as preempted:
    assert not preempted.reached(1)
    signal.raise_signal(signal.SIGTERM)
    assert preempted.reached(2)
    signal.raise_signal(signal.SIGTERM)
    assert preempted.reached(3)
  assert not handled


def test_the_handler_of_before_comes_back_after_an_error_too(handled):
  with pytest.raises(KeyError), preemption.Preemption():
    raise KeyError
  signal.raise_signal(signal.SIGTERM)
  assert handled == [signal.SIGTERM]


def test_another_thread_installs_no_handler(handled):
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
