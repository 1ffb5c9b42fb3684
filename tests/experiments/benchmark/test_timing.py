"""Proves that the benchmark measures what it says; never how fast."""

import time

from experiments.benchmark import timing


def test_a_case_is_measured_in_turns():
  calls = []

  def call(name):
    time.sleep(1e-4)  # Milliseconds are told with three decimals.
    calls.append(name)

  case = timing.Case("sum", lambda: call("a"), "other", lambda: call("b"), 1e9)
  line = timing.measure(case, turns=3)
  assert line[0] == "sum" and line[1] == "other" and line[-1] == "yes"
  assert float(line[2]) > 0 and float(line[3]) > 0
  assert calls[-12:] == ["a", "a", "b", "b"] * 3
