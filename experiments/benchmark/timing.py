"""Measures two ways to do one thing alternately, and compares their times."""

import statistics
import time
from typing import Any, Callable, NamedTuple, Sequence

import jax
import jax.numpy as jnp

from mixup_jax import results

Thunk = Callable[[], Any]

OURS = results.Method("ours", "ours")
OFFICIAL = results.Method("official", "PyTorch, official algorithm")
# Processor time is that of all threads, whatever else the machine does.
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


class Case(NamedTuple):
  """Two ways to do one thing, and the ratio of times that we aim at.

  Attributes:
    name: What is done; cases of one name have the same `ours`, and different
      other sides.
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

  There are none if the other side is not installed.

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


def seconds(thunk: Thunk, clock: str = "wall") -> float:
  """Returns how long a call takes, results of the device included."""
  read = CLOCKS[clock]
  # One call first: the other side has left its data in the cache, and threads
  # that spin for a while after their work is done.
  jax.block_until_ready(thunk())
  start = read()
  jax.block_until_ready(thunk())
  return read() - start


def into_donated(function: Callable[..., Any], *arguments: Any) -> Thunk:
  """Donates to each call the first array that the call before returned."""

  def into(old: jax.Array, *new: Any) -> Any:
    del old
    return function(*new)

  jitted = jax.jit(into, donate_argnums=0, keep_unused=True)
  first = jax.eval_shape(function, *arguments)[0]
  array = jnp.zeros(first.shape, first.dtype)

  def call() -> Any:
    nonlocal array
    array, *others = jitted(array, *arguments)
    return array, *others

  return call


def measure(
  cases: Sequence[Case], *, turns: int, rounds: int = 1, clock: str = "wall"
) -> list[Measured]:
  """Measures both sides of each case alternately.

  Args:
    cases: The cases.
    turns: How often the sides of a case alternate in a round.
    rounds: How often to measure all cases, one after another. Other work of
      the machine differs between rounds: their spread is that of a result.
    clock: The name of one of `CLOCKS`.

  Returns:
    The medians of each case.
  """
  for case in cases:
    for thunk in (case.ours, case.other) * 2:
      seconds(thunk)  # Compiles, and warms up.
  medians = [
    [_medians(case, turns, clock) for case in cases] for _ in range(rounds)
  ]
  return [
    Measured(case, *zip(*found)) for case, found in zip(cases, zip(*medians))
  ]


def _medians(case: Case, turns: int, clock: str) -> tuple[float, float, float]:
  """Returns the medians of a round: ours in ms, the other, and their ratio."""
  times = [
    (seconds(case.ours, clock), seconds(case.other, clock))
    for _ in range(turns)
  ]
  ours, other = (1e3 * statistics.median(side) for side in zip(*times))
  return ours, other, statistics.median(a / b for a, b in times)


def table(measured: Sequence[Measured]) -> str:
  """Returns a line for each case, of means over the rounds."""
  lines = [["ours", "against", "ours ms", "other ms", "ratio", "goal", "met"]]
  for case, *rounds in measured:
    if not rounds[-1]:
      absent = ["-", "not installed", "-", f"{case.goal:.2f}", "-"]
      lines.append([case.name, case.against.label, *absent])
      continue
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


def result(measured: Sequence[Measured], clock: str) -> results.Result:
  """Returns a result: the times of both sides, and their ratio.

  Args:
    measured: The cases, at least one.
    clock: The clock that they were measured with.

  Returns:
    Rows of n rounds, and a layout with a line for each name. A ratio is in the
    column of the other side.
  """
  milliseconds, ratio = (
    f"ms, {clock} time, median",
    f"ours over theirs, ratio of {clock} times, paired",
  )
  found: dict[tuple[str, results.Method, str], results.Row] = {}
  for each in measured:
    name = each.case.name
    for method, metric, values in (
      (OURS, milliseconds, each.ours),
      (each.case.against, milliseconds, each.other),
      (each.case.against, ratio, each.ratio),
    ):
      row = results.summarize(
        values, setting=name, method=method, metric=metric, epochs=0
      )
      row["decimals"] = 3  # Some calls take a fraction of a millisecond.
      # Ours is measured beside each other side: the first time will do.
      found.setdefault((name, method, metric), row)
  rows = list(found.values())
  layout = results.Layout(
    lines="setting", columns="method", metrics=[milliseconds, ratio]
  )
  return results.Result(rows=rows, layout=layout)
