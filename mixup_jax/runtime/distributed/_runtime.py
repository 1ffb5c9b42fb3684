"""Private parts of jax, and what it does when a process is lost.

Alone, jax aborts a process that has lost a peer with status 134 and no word on
which one, and tells no program which process of a cluster it is before it has
started. To name the lost peer and leave with the status that supervisors
restart on, this module delays SIGABRT and reaches into `jax._src`. With
MIXUP_JAX_PRIVATE=0 in the environment it does neither, for a jax in which these
parts have changed.
"""

import ctypes
import os
import re
import signal
import threading
from typing import Any, Callable

FLAG = "MIXUP_JAX_PRIVATE"


def uses_private_parts() -> bool:
  """Returns whether this module may use what jax does not make public."""
  return os.environ.get(FLAG, "1") != "0"


def detect_cluster(timeout: int) -> tuple[str | None, int | None, int | None]:
  """Returns the address, number and id that the cluster gives to this process.

  Args:
    timeout: The seconds to wait for the cluster.

  Returns:
    The three, None where nothing is known.

  Raises:
    RuntimeError: If a cluster is there and does not say.
  """
  if not uses_private_parts():
    return None, None, None
  try:
    from jax._src import clusters

    return clusters.ClusterEnv.auto_detect_unset_distributed_params(
      os.environ.get("JAX_COORDINATOR_ADDRESS"), None, None, None, None, timeout
    )[:3]
  except (ImportError, AttributeError, TypeError):
    return None, None, None


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
  if not uses_private_parts():
    return lambda: None
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
  if not uses_private_parts():
    return
  try:  # Without it the status is 134.
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
