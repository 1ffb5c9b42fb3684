"""Stops a process on SIGTERM, where what is done is saved.

The notice belongs to the process: once there, it stays, and every piece of work
asks for it before it starts. Loops of steps ask `reached`, and save; loops over
whole pieces call `check` in between.
"""

import contextlib
import itertools
import signal
import threading
from typing import Iterator

import jax
from jax.experimental import multihost_utils

# Shared by all runs of this process: the agreed numbers must increase.
_CALLS = itertools.count(1)
_is_noticed = False


class Stopped(Exception):
  """Raised when the process stops on request.

  Attributes:
    lost: What of the work done is not saved, in words; "" if all of it is.
  """

  def __init__(self, message: str, *, lost: str = ""):
    super().__init__(message)
    self.lost = lost


@contextlib.contextmanager
def noticed() -> Iterator[None]:
  """Takes SIGTERM as a notice for `reached` and `check` in the body.

  In other threads than the main one, and after `jax.distributed.initialize`,
  which has its own handler, it does nothing. It may be nested.

  Yields:
    Nothing.
  """
  is_main = threading.current_thread() is threading.main_thread()
  if not is_main or jax.distributed.is_initialized():
    yield
    return
  previous = signal.signal(signal.SIGTERM, _notice)
  try:
    yield
  finally:
    signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)


def reached(step: int) -> bool:
  """Returns whether to save and stop now, equal in all processes.

  After `jax.distributed.initialize`, a notice to any process reaches all, and
  they agree on the call at which to stop.

  Args:
    step: The number of steps done. All processes must call it at the same
      steps.

  Returns:
    True from the call on at which all processes stop.
  """
  del step  # jax agrees on the number after the latest one of all processes,
  # which batches of several steps would skip: so calls are counted.
  if jax.distributed.is_initialized():
    if multihost_utils.reached_preemption_sync_point(next(_CALLS)):
      _notice()
  return _is_noticed


def is_noticed() -> bool:
  """Returns whether this process knows that it is to stop, and asks no other.

  After `jax.distributed.initialize`, it knows from the next `reached` on.
  """
  return _is_noticed


def check(*, lost: str = "") -> None:
  """Raises if the process is to stop: call it between two pieces of work.

  Args:
    lost: What would be lost, in words, if not all that was done is saved.

  Raises:
    Stopped: If a notice arrived, also before or during earlier work.
  """
  if reached(0):
    raise Stopped("stopped before the next piece of work", lost=lost)


def _notice(*_: object) -> None:
  global _is_noticed
  _is_noticed = True
