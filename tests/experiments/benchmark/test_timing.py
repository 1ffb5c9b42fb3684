"""Tests of what the benchmark measures; never how fast."""

import time

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmark import timing
from mixup_jax import results

OTHER = results.Method("other", "the other side")


@pytest.fixture(name="calls")
def make_calls():
  return []


@pytest.fixture(name="case")
def make_case(calls):
  def call(name):
    time.sleep(1e-4)  # Tables show milliseconds with three decimals.
    calls.append(name)

  return timing.Case("sum", lambda: call("a"), OTHER, lambda: call("b"), 1e9)


def test_into_donated_returns_what_the_function_does_into_the_array_before():
  call = timing.into_donated(lambda x, y: (x + y, y), jnp.ones(3), 2.0)
  first, other = call()
  np.testing.assert_array_equal(first, [3, 3, 3])
  assert float(other) == 2
  np.testing.assert_array_equal(call()[0], [3, 3, 3])
  assert first.is_deleted()


def test_measure_alternates_the_sides(case, calls):
  (found,) = timing.measure([case], turns=3)
  assert found.case is case
  assert found.ours[0] > 0 and found.other[0] > 0
  assert calls[-12:] == ["a", "a", "b", "b"] * 3


def test_measure_repeats_all_cases_in_each_round(case, calls):
  second = case._replace(ours=lambda: calls.append("c"))
  found = timing.measure([case, second], turns=1, rounds=3)
  assert [len(each.ratio) for each in found] == [3, 3]
  assert calls[-24:] == [*"aabbccbb"] * 3


def test_measure_takes_medians_of_the_turns(case, monkeypatch):
  """Of 2/4, 30/10 and 3/8 s: the ratios of turns are 0.5, 3 and 0.375."""
  times = iter([1.0] * 4 + [2.0, 4.0, 30.0, 10.0, 3.0, 8.0])
  monkeypatch.setattr(timing, "seconds", lambda *_: next(times))
  (found,) = timing.measure([case], turns=3)
  assert found[1:] == ((3000.0,), (8000.0,), (0.5,))


def test_table_reports_whether_the_goal_is_met(case):
  measured = [
    timing.Measured(
      case._replace(goal=goal), (1.0, 2.0), (4.0, 2.0), (0.3, 0.5)
    )
    for goal in (0.4, 0.35)
  ]
  yes, no = timing.table(measured).splitlines()[2:]
  for line, met in ((yes, "yes"), (no, "no")):
    assert line.split()[:5] == ["sum", "the", "other", "side", "1.500"]
    assert line.split()[5:7] == ["3.000", "0.40"] and line.split()[-1] == met


def test_result_holds_both_sides_and_their_ratio(case):
  measured = [timing.Measured(case, (1.0, 2.0), (4.0, 2.0), (0.3, 0.5))]
  result = timing.result(measured, "wall")
  rows = result["rows"]
  sides = ["ours", "the other side", "the other side"]
  assert [row["method"] for row in rows] == sides
  assert [row["value"] for row in rows] == [1.5, 3.0, 0.4]
  assert {row["n"] for row in rows} == {2}
  times, ratios = results.blocks(result)
  assert times.cells[0] == ["", "ours", "the other side"]
  assert times.cells[1] == ["sum", "1.500 ± 0.500", "3.000 ± 1.000"]
  assert ratios.name == "ours over theirs, ratio of wall times, paired"
  assert ratios.cells == [["", "the other side"], ["sum", "0.400 ± 0.100"]]


def test_result_holds_ours_once_beside_several_sides(case):
  """And "not run" where one of them is not installed."""
  more = [
    case._replace(against=results.Method(name, name)) for name in ("b", "c")
  ]
  result = timing.result(
    [
      timing.Measured(case, (1.0, 2.0), (4.0, 2.0), (0.3, 0.5)),
      timing.Measured(more[0], (7.0, 9.0), (1.0, 1.0), (7.0, 9.0)),
      timing.Measured(more[1], (), (), ()),
    ],
    "wall",
  )
  times, ratios = results.blocks(result)
  assert times.cells[0] == ["", "ours", "the other side", "b", "c"]
  assert [cell[:7] for cell in times.cells[1]] == [
    *("sum", "1.500 ±", "3.000 ±", "1.000 ±", "not run")
  ]
  assert [cell[:7] for cell in ratios.cells[1]] == [
    *("sum", "0.400 ±", "8.000 ±", "not run")
  ]


def test_table_names_a_side_that_is_not_installed(case):
  line = timing.table([timing.Measured(case, (), (), ())]).splitlines()[-1]
  assert "not installed" in line and line.split()[0] == "sum"


def test_seconds_of_the_processor_leave_out_waiting():
  def wait():
    time.sleep(0.1)

  assert timing.seconds(wait) >= 0.1
  assert timing.seconds(wait, "processor") < 0.05
