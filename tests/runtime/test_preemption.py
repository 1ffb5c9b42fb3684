"""Tests of SIGTERM in one process; test_distributed has several."""

import signal
import threading

import pytest

from mixup_jax.runtime import preemption


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
  """Forgets notices after each test."""
  monkeypatch.setattr(preemption, "_is_noticed", False)


@pytest.fixture
def handled():
  """Collects the signals that reach the outer handler."""
  numbers = []
  before = signal.signal(
    signal.SIGTERM, lambda number, _: numbers.append(number)
  )
  yield numbers
  signal.signal(signal.SIGTERM, before)


def test_reached_keeps_a_notice_and_ignores_more(handled):
  with preemption.noticed():
    assert not preemption.reached(1)
    signal.raise_signal(signal.SIGTERM)
    assert preemption.reached(2)
    signal.raise_signal(signal.SIGTERM)
    assert preemption.reached(3)
  assert not handled


def test_check_raises_for_a_notice_of_earlier_work(handled):
  """The notice is the process's: it may come at the end of one network."""
  with preemption.noticed():
    preemption.check()
    with preemption.noticed():
      signal.raise_signal(signal.SIGTERM)
    with pytest.raises(preemption.Stopped, match="stopped before") as stopped:
      preemption.check()
    assert not stopped.value.lost
  with pytest.raises(preemption.Stopped) as stopped:
    preemption.check(lost="a group")
  assert stopped.value.lost == "a group" and not handled


def test_reached_of_several_processes_stays_true(monkeypatch):
  """jax answers True once, at the call on which all processes agree."""
  answers = iter((False, True, False))
  monkeypatch.setattr(preemption.jax.distributed, "is_initialized", lambda: 1)
  monkeypatch.setattr(
    preemption.multihost_utils,
    "reached_preemption_sync_point",
    lambda number: next(answers),
  )
  assert [preemption.reached(step) for step in range(3)] == [False, True, True]


def test_noticed_restores_the_handler_after_an_error(handled):
  with pytest.raises(KeyError), preemption.noticed():
    raise KeyError
  signal.raise_signal(signal.SIGTERM)
  assert handled == [signal.SIGTERM]


def test_noticed_installs_no_handler_in_another_thread(handled):
  found = []

  def ask():
    with preemption.noticed():
      found.append(preemption.reached(1))

  thread = threading.Thread(target=ask)
  thread.start()
  thread.join()
  assert found == [False]
  signal.raise_signal(signal.SIGTERM)
  assert handled == [signal.SIGTERM]
