"""Measures two ways to do one thing alternately, and compares their times."""

import statistics
import time
from typing import Any, Callable, NamedTuple, Sequence

import jax

from mixup_jax import results

Thunk = Callable[[], Any]

OURS = results.Method("ours", "ours")
_MILLISECONDS, _RATIO = "ms, median", "ratio to the other, paired"
LAYOUT = results.Layout(
  lines="setting", columns="method", metrics=[_MILLISECONDS, _RATIO]
)


class Case(NamedTuple):
  """Two ways to do one thing, and the ratio of times that we aim at.

  Attributes:
    name: What is done; no other case of a result has the same.
    ours: Does it once.
    against: The method of the other side.
    other: Does it once.
    goal: The largest ratio of ours to the other that we aim at.
  """

  name: str
  ours: Thunk
  against: results.Method
  other: Thunk
  goal: float


class Measured(NamedTuple):
  """The times of a case, one number a round: the median over its turns.

  Attributes:
    case: The case.
    ours: Milliseconds of a call.
    other: Milliseconds of a call.
    ratio: Ours to the other, of calls that follow each other.
  """

  case: Case
  ours: tuple[float, ...]
  other: tuple[float, ...]
  ratio: tuple[float, ...]


def seconds(thunk: Thunk) -> float:
  """Returns how long a call takes, results of the device included."""
  # One call first: the other side has left its data in the cache, and threads
  # that spin for a while after their work is done.
  jax.block_until_ready(thunk())
  start = time.perf_counter()
  jax.block_until_ready(thunk())
  return time.perf_counter() - start


def measure(
  cases: Sequence[Case], *, turns: int, rounds: int = 1
) -> list[Measured]:
  """Measures both sides of each case alternately.

  Args:
    cases: The cases.
    turns: How often the sides of a case alternate in a round.
    rounds: How often to measure all cases, one after another. Other work of
      the machine differs between rounds: their spread is that of a result.

  Returns:
    The medians of each case.
  """
  for case in cases:
    for thunk in (case.ours, case.other) * 2:
      seconds(thunk)  # Compiles, and warms up.
  medians = [[_medians(case, turns) for case in cases] for _ in range(rounds)]
  return [
    Measured(case, *zip(*found)) for case, found in zip(cases, zip(*medians))
  ]


def _medians(case: Case, turns: int) -> tuple[float, float, float]:
  """Returns the medians of a round: ours in ms, the other, and their ratio."""
  times = [(seconds(case.ours), seconds(case.other)) for _ in range(turns)]
  ours, other = (1e3 * statistics.median(side) for side in zip(*times))
  return ours, other, statistics.median(a / b for a, b in times)


def table(measured: Sequence[Measured]) -> str:
  """Returns a line for each case, of means over the rounds."""
  lines = [["ours", "against", "ours ms", "other ms", "ratio", "goal", "met"]]
  for case, *rounds in measured:
    ours, other, ratio = map(statistics.mean, rounds)
    lines.append(
      [
        case.name,
        case.against.label,
        f"{ours:.3f}",
        f"{other:.3f}",
        f"{ratio:.2f}",
        f"{case.goal:.2f}",
        "yes" if ratio <= case.goal else "no",
      ]
    )
  return results.format_table(lines)


def rows(measured: Sequence[Measured]) -> list[results.Row]:
  """Returns the rows of a result: the times of both sides, and their ratio."""
  made = [
    results.summarize(
      values, setting=case.name, method=method, metric=metric, epochs=0
    )
    for case, ours, other, ratio in measured
    for method, metric, values in (
      (OURS, _MILLISECONDS, ours),
      (case.against, _MILLISECONDS, other),
      (OURS, _RATIO, ratio),
    )
  ]
  for row in made:
    row["decimals"] = 3  # Some calls take a fraction of a millisecond.
  return made
