"""Private parts of jax, for the cluster and for lost processes.

By itself, jax aborts a process that has lost a peer with status 134, without
naming the peer, and it cannot identify the process in a cluster before it
starts. To name the lost peer and exit with the status on which supervisors
restart, this module delays SIGABRT and uses `jax._src`. MIXUP_JAX_PRIVATE=0 in
the environment disables both, for a version of jax that has changed these
parts.
"""

import ctypes
import os
import re
import signal
import threading
from typing import Any, Callable

FLAG = "MIXUP_JAX_PRIVATE"


def uses_private_parts() -> bool:
  """Returns whether this module may use private parts of jax."""
  return os.environ.get(FLAG, "1") != "0"


def detect_cluster(timeout: int) -> tuple[str | None, int | None, int | None]:
  """Returns the coordinator, process count and process id of the cluster.

  Args:
    timeout: The seconds to wait for the cluster.

  Returns:
    The three, each None if unknown.

  Raises:
    RuntimeError: If there is a cluster, and it does not identify this process.
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
  """Returns whether a lost peer may cause an error: it starts with a status."""
  while error is not None:
    if re.match("[A-Z_]{5,}: ", str(error)):
      return True
    error = error.__cause__ or error.__context__
  return False


def delay_abort() -> Callable[[], Any]:
  """Makes abort() wait 6 seconds; returns a function that undoes it.

  When process 0 is lost, C++ code of jax aborts all others before they can
  report it. The cost: a SIGABRT from outside, as of `kill -ABRT`, only pauses
  this process.
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

  It would wait for its heartbeat to fail and then abort, which would replace
  the exit status of the error.
  """
  if not uses_private_parts():
    return
  try:  # Else the status is 134.
    from jax._src import distributed

    state = distributed.global_state
    held = (state.preemption_sync_manager, state.client, state.service)
    state.preemption_sync_manager = state.client = state.service = None
  except (ImportError, AttributeError):
    return
  # Their destructors wait too, and the frame of a sleeping thread is not freed.
  threading.Thread(
    target=lambda held: threading.Event().wait(), args=(held,), daemon=True
  ).start()
