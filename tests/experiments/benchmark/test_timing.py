"""Proves that the benchmark measures what it says; never how fast."""

from experiments.benchmark import timing


def test_a_case_is_measured_in_turns():
  calls = []
  case = timing.Case("sum", lambda: calls.append("a"), "other",
                     lambda: calls.append("b"), 1e9)
  line = timing.measure(case, turns=3)
  assert line[0] == "sum" and line[1] == "other" and line[-1] == "yes"
  assert float(line[2]) > 0 and float(line[3]) > 0
  assert calls[-12:] == ["a", "a", "b", "b"] * 3
