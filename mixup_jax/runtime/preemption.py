"""Leaving a run in good order when the machine is taken away."""

import itertools
import signal
import threading
from typing import Any

import jax
from jax.experimental import multihost_utils

# Of all runs of this process: the numbers that are agreed on must rise.
_CALLS = itertools.count(1)


class Preemption:
  """Tells when to save and leave after SIGTERM. Use it as a context manager.

  After `jax.distributed.initialize` the notice of any process reaches all, and
  they agree on the call at which to leave. Otherwise a handler of SIGTERM
  stands in, from `__enter__` to `__exit__`; save before leaving the context, as
  more notices do no harm within.
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
    """Tells whether to save and leave now; True in all processes or in none.

    Args:
      step: The number of steps done. All processes must ask at the same steps.

    Returns:
      Whether a notice came and all processes are to leave at this step.
    """
    del step  # The agreed call is the one after the latest of all: a number
    # that steps of more than one would jump over.
    if jax.distributed.is_initialized():
      return multihost_utils.reached_preemption_sync_point(next(_CALLS))
    return self._noticed

  def _notice(self, *_: object) -> None:
    self._noticed = True
