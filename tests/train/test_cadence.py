"""Tests of when to save, with a clock that steps move."""

import pytest

from mixup_jax.train import cadence


def saves(pace, *, seconds, steps, first_step=0):
  """Returns the steps after which it is due, and the number of questions.

  Args:
    pace: Takes a step; returns the seconds that it takes.
    seconds: Of the cadence.
    steps: The number of steps.
    first_step: The number of steps done before.
  """
  now, asked, due = [0.0], [0], []

  def clock():
    asked[0] += 1
    return now[0]

  each = cadence.Cadence(seconds, first_step=first_step, clock=clock)
  for step in range(first_step + 1, first_step + steps + 1):
    now[0] += pace(step)
    if each.due(step):
      due.append(step)
      each.saved(step)
  return due, asked[0]


@pytest.mark.parametrize("first_step", (0, 7))
def test_cadence_is_due_after_so_many_seconds(first_step):
  due, _ = saves(lambda step: 2.0, seconds=10, steps=16, first_step=first_step)
  assert due == [first_step + 5, first_step + 10, first_step + 15]


def test_cadence_is_due_after_each_step_that_takes_longer():
  assert saves(lambda step: 20.0, seconds=10, steps=3)[0] == [1, 2, 3]


def test_cadence_asks_seldom_also_after_a_slow_first_step():
  due, asked = saves(
    lambda step: 60.0 if step == 1 else 0.01, seconds=300, steps=100_000
  )
  assert due[0] == pytest.approx(24_001, abs=50)
  assert due[1] - due[0] == pytest.approx(30_000, abs=50)
  assert asked < 100


def test_cadence_is_late_by_little_when_steps_become_slower():
  due, _ = saves(lambda step: 1.0 if step < 50 else 2.0, seconds=100, steps=200)
  assert due[0] <= 100  # 151 seconds; a question at step 100 says so.
