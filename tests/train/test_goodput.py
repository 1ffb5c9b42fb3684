"""Tests of what time went into, with a clock that bodies move."""

import pytest

from mixup_jax.train import goodput


@pytest.fixture
def spend(monkeypatch):
  """Returns a function that lets so many seconds pass."""
  now = [0.0]
  monkeypatch.setattr(goodput.time, "perf_counter", lambda: now[0])
  goodput.reset()
  yield lambda seconds: now.__setitem__(0, now[0] + seconds)
  goodput.reset()


def test_timed_counts_a_context_without_those_in_it(spend):
  with goodput.timed("steps"):
    spend(5)
    with goodput.timed("evaluation"):
      spend(2)
      with goodput.timed("input"):
        spend(1)
    spend(1)
  assert goodput.shares(10.0) == {
    "steps": 0.6,
    "compilation": 0,
    "input": 0.1,
    "evaluation": 0.2,
    "checkpoints": 0,
    "other": 0.1,
  }


def test_timed_counts_a_body_that_fails(spend):
  with goodput.timed("steps"):
    spend(1)
    with pytest.raises(OSError), goodput.timed("checkpoints"):
      spend(3)
      raise OSError
  assert goodput.shares(4.0)["checkpoints"] == 0.75
  assert goodput.shares(4.0)["steps"] == 0.25


def test_compiled_counts_the_first_call_alone(spend):
  step = goodput.compiled(lambda seconds: spend(seconds) or seconds)
  with goodput.timed("steps"):
    assert [step(8), step(1), step(1)] == [8, 1, 1]
  assert goodput.shares(10.0)["compilation"] == 0.8
  assert goodput.shares(10.0)["steps"] == 0.2


def test_shares_are_none_where_nothing_was_trained(spend):
  assert goodput.shares(1.0) == {}
