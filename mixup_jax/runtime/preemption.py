"""Stops a run when its machine is preempted."""

import itertools
import signal
import threading
from typing import Any

import jax
from jax.experimental import multihost_utils

# Shared by all runs of this process: the agreed numbers must increase.
_CALLS = itertools.count(1)


class Preemption:
  """Reports when to save and stop after SIGTERM. Use it as a context manager.

  After `jax.distributed.initialize`, a notice to any process reaches all, and
  they agree on the call at which to stop. Otherwise a handler of SIGTERM is
  installed from `__enter__` to `__exit__`. Save within the context, where
  further notices have no effect.
  """

  def __init__(self) -> None:
    self._noticed = False
    self._previous: Any = None
    self._is_handler_ours = False

  def __enter__(self) -> "Preemption":
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and not jax.distributed.is_initialized():
      self._previous = signal.signal(signal.SIGTERM, self._notice)
      self._is_handler_ours = True
    return self

  def __exit__(self, *_: object) -> None:
    if self._is_handler_ours:
      signal.signal(signal.SIGTERM, self._previous or signal.SIG_DFL)
      self._is_handler_ours = False

  def reached(self, step: int) -> bool:
    """Returns whether to save and stop now, equal in all processes.

    Args:
      step: The number of steps done. All processes must call it at the same
        steps.

    Returns:
      True if a notice arrived and all processes stop at this step.
    """
    del step  # jax agrees on the number after the latest one of all processes,
    # which batches of several steps would skip: so calls are counted.
    if jax.distributed.is_initialized():
      return multihost_utils.reached_preemption_sync_point(next(_CALLS))
    return self._noticed

  def _notice(self, *_: object) -> None:
    self._noticed = True
