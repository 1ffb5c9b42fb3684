"""What jax does when a process is lost, and how to get a word in first."""

import ctypes
import re
import signal
import threading
from typing import Any, Callable


def is_of_lost_peer(error: BaseException | None) -> bool:
  """Tells if an error can come from a lost peer: it starts with a status."""
  while error is not None:
    if re.match("[A-Z_]{5,}: ", str(error)):
      return True
    error = error.__cause__ or error.__context__
  return False


def delay_abort() -> Callable[[], Any]:
  """Makes abort() wait 6 seconds; returns what undoes that.

  Without process 0, C++ code of jax aborts all others in the same moment in
  which they could find words for it. The price: a SIGABRT from outside, as of
  `kill -ABRT`, only makes this process pause.
  """
  libc = ctypes.CDLL(None)
  libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
  libc.signal.restype = ctypes.c_void_p
  # As a handler it is called as sleep(SIGABRT), and SIGABRT is 6.
  handler = ctypes.cast(libc.sleep, ctypes.c_void_p)
  previous = libc.signal(signal.SIGABRT, handler)
  return lambda: libc.signal(signal.SIGABRT, previous)


def abandon_jax() -> None:
  """Keeps jax from waiting at exit for processes that wait for this one.

  It would wait for its heartbeat to fail and then abort, and the exit status of
  the error would be lost.
  """
  try:  # Not public; without it the status is 134.
    from jax._src import distributed

    state = distributed.global_state
    held = (state.preemption_sync_manager, state.client, state.service)
    state.preemption_sync_manager = state.client = state.service = None
  except (ImportError, AttributeError):
    return
  # Their destructors wait too. The frame of a sleeping thread is never freed.
  threading.Thread(
    target=lambda held: threading.Event().wait(), args=(held,), daemon=True
  ).start()
