"""Lets two ways to do one thing take turns, and compares their times."""

import statistics
import time
from typing import Any, Callable, NamedTuple

import jax

Thunk = Callable[[], Any]


class Case(NamedTuple):
  """Two ways to do one thing, and the ratio of times that we aim at."""

  name: str
  ours: Thunk
  other_name: str
  other: Thunk
  goal: float


def seconds(thunk: Thunk) -> float:
  """Returns how long a call takes, results of the device included."""
  # One call first: the other side has left its data in the cache, and threads
  # that spin for a while after their work is done.
  jax.block_until_ready(thunk())
  start = time.perf_counter()
  jax.block_until_ready(thunk())
  return time.perf_counter() - start


def measure(case: Case, *, turns: int) -> list[str]:
  """Lets both sides of a case take turns, and returns a line of the table."""
  for thunk in (case.ours, case.other) * 2:
    seconds(thunk)  # Compiles, and warms up.
  times = [(seconds(case.ours), seconds(case.other)) for _ in range(turns)]
  ours, other = (1e3 * statistics.median(side) for side in zip(*times))
  ratio = statistics.median(a / b for a, b in times)
  return [
    case.name,
    case.other_name,
    f"{ours:.3f}",
    f"{other:.3f}",
    f"{ratio:.2f}",
    f"{case.goal:.2f}",
    "yes" if ratio <= case.goal else "no",
  ]
