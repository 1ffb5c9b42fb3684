"""What the time of a process went into: steps, or what they wait for."""

import collections
import contextlib
import time
from typing import Any, Callable, Iterator

KINDS = ("steps", "compilation", "input", "evaluation", "checkpoints")

_seconds: dict[str, float] = collections.defaultdict(float)
_inner: list[float] = []  # Of each context entered, what those in it took.


@contextlib.contextmanager
def timed(kind: str) -> Iterator[None]:
  """Counts the time of the body, without that of contexts in it.

  Args:
    kind: One of `KINDS`.

  Yields:
    Nothing.
  """
  start = time.perf_counter()
  _inner.append(0.0)
  try:
    yield
  finally:
    elapsed = time.perf_counter() - start
    _seconds[kind] += elapsed - _inner.pop()
    if _inner:
      _inner[-1] += elapsed


def compiled(step: Callable[..., Any]) -> Callable[..., Any]:
  """Returns a step whose first call counts as compilation."""
  calls = 0

  def call(*args: Any) -> Any:
    nonlocal calls
    calls += 1
    if calls > 1:
      return step(*args)
    with timed("compilation"):
      return step(*args)

  return call


def shares(total: float) -> dict[str, float]:
  """Returns the share of each kind, and of "other" time, in a total.

  Args:
    total: Seconds, since the start of the process or so.

  Returns:
    Shares by kind, which add up to 1; {} if no network was trained step by
    step.
  """
  if not _seconds["steps"]:
    return {}
  found = {kind: round(_seconds[kind] / total, 4) for kind in KINDS}
  return {**found, "other": round(1 - sum(found.values()), 4)}


def reset() -> None:
  """Counts from zero."""
  _seconds.clear()
