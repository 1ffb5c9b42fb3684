"""A trace of some steps of a run, for XProf or Perfetto."""

import contextlib
import pathlib
import sys
import tempfile
from typing import Any, Callable, Iterator

import jax
import numpy as np

from mixup_jax.runtime import storage

Step = Callable[[Any, Any], tuple[Any, Any]]
_SKIPPED = 2  # Calls of a step: one compiles, and the next one settles.
_current: "list[_Trace]" = []


class _Trace:
  """A trace that is yet to begin, or goes on."""

  def __init__(self, steps: int, directory: storage.Path):
    self._left, self._directory = steps, directory
    self._until = _SKIPPED
    self._local: Any = None

  def before(self) -> None:
    """Begins, if it is time to."""
    if self._until == 0:
      # Traced locally: jax writes to no bucket.
      self._local = tempfile.TemporaryDirectory(prefix="mixup_jax_trace")
      jax.profiler.start_trace(self._local.name)
    self._until -= 1

  def after(self, metrics: Any) -> None:
    """Counts the steps of a call, and ends after the last one."""
    if self._local is None:
      return
    self._left -= np.size(jax.tree.leaves(metrics)[0])
    if self._left <= 0:
      jax.block_until_ready(metrics)
      self.end()

  def end(self) -> None:
    """Ends, and writes what was traced."""
    if self._local is None:
      return
    jax.profiler.stop_trace()
    with self._local as local:
      storage.upload(pathlib.Path(local), self._directory)
    self._local = None
    _current.clear()


@contextlib.contextmanager
def requested(steps: int, directory: storage.Path) -> Iterator[None]:
  """Traces the first network that is trained in the body.

  The first calls of its step, which compile it, are left out. Of several
  processes, the first one is traced.

  Args:
    steps: The number of steps, or a few more where a call does several at once;
      0 traces none.
    directory: Where the trace is written.

  Yields:
    Nothing.
  """
  if steps and jax.process_index() == 0:
    _current[:] = [_Trace(steps, directory)]
  try:
    yield
  finally:
    for trace in list(_current):
      trace.end()
    if _current:
      print(
        f"no step was traced: {_SKIPPED + 1} calls of a step are needed, of a "
        "network that is not trained yet.",
        file=sys.stderr,
      )
    _current.clear()


def traced(step: Step) -> Step:
  """Returns a step that is traced if a trace is requested."""
  if not _current:
    return step

  def call(state: Any, batch: Any) -> tuple[Any, Any]:
    trace = next(iter(_current), None)
    if trace is None:
      return step(state, batch)
    trace.before()
    state, metrics = step(state, batch)
    trace.after(metrics)
    return state, metrics

  return call
