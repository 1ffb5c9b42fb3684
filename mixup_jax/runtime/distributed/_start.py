"""Starts jax in one of several processes."""

import os
import time
import types
from typing import Any, Mapping

import jax

from mixup_jax.runtime.distributed import _greeting
from mixup_jax.runtime.distributed import _local_devices
from mixup_jax.runtime.distributed import _meeting
from mixup_jax.runtime.distributed import _runtime
from mixup_jax.runtime.distributed import _watch


def initialize(
  *,
  coordinator: str | None = None,
  num_processes: int | None = None,
  process_id: int | None = None,
  same: Mapping[str, Any] = types.MappingProxyType({}),
  heartbeat_timeout_seconds: int = 10,
  initialization_timeout: int = 300,
) -> None:
  """Starts jax in this process as one of several, before any other use of jax.

  Give `coordinator`, `num_processes` and `process_id`, or none of them to take
  them from the cluster (TPU pod, GKE, Slurm, Open MPI). Enter `peers_watched`
  right after.

  Args:
    coordinator: The address "host:port" of process 0, equal in all processes.
      Process 0 chooses another port for jax.
    num_processes: The number of processes.
    process_id: The id of this process, from 0.
    same: JSON values by name that must be equal in all processes. They are
      compared before jax starts, which would hang on a difference.
    heartbeat_timeout_seconds: A process that is silent for so long counts as
      lost. Python code that holds the GIL for so long is silent too.
    initialization_timeout: The seconds that the processes wait for each other.

  Raises:
    ValueError: If an argument is invalid, or the processes do not match; it
      names the differences. Also if `MIXUP_JAX_TOKEN` differs.
    TimeoutError: If processes do not connect in time; it names them.
    OSError: If process 0 cannot listen on its port.
    RuntimeError: If it is called twice.
  """
  if jax.distributed.is_initialized():
    raise RuntimeError(
      "jax.distributed is initialized already: call "
      "initialize once, instead of jax.distributed.initialize."
    )
  if (coordinator, num_processes, process_id) == (None, None, None):
    coordinator, num_processes, process_id = _detect(initialization_timeout)
  coordinator, num_processes, process_id = _check_start(
    coordinator, num_processes, process_id
  )
  host, port = _parse_address(coordinator)
  deadline = time.monotonic() + initialization_timeout
  secret = _greeting.secret(coordinator)
  if process_id == 0:
    peers, jax_port = _meeting.gather(
      port, num_processes, deadline, same, secret
    )
  else:
    peers, jax_port = _meeting.join(
      (host, port), num_processes, process_id, deadline, same, secret
    )
  _watch.begin(process_id, peers, heartbeat_timeout_seconds)
  # The heartbeat of jax is the fallback if this one fails.
  jax.distributed.initialize(
    f"{coordinator.rpartition(':')[0]}:{jax_port}",
    num_processes,
    process_id,
    initialization_timeout=initialization_timeout,
    heartbeat_timeout_seconds=2 * heartbeat_timeout_seconds,
    **_local_devices.options(os.environ),
  )


def _detect(timeout: int) -> tuple[str | None, int | None, int | None]:
  """Returns the coordinator, process count and process id of the cluster."""
  try:
    found = _runtime.detect_cluster(timeout)
  except RuntimeError as error:
    is_late = "recognize coordinator" in str(error)  # Its host has no address.
    raise (TimeoutError if is_late else ValueError)(
      f"the cluster does not identify this process ({error}): check the log "
      "of process 0, or give coordinator, num_processes and process_id."
    ) from error
  if None in found:
    raise ValueError(
      "found no cluster (TPU pod, GKE, Slurm, Open MPI): give coordinator, "
      "num_processes and process_id."
    )
  return found


def _check_start(
  coordinator: str | None, num_processes: int | None, process_id: int | None
) -> tuple[str, int, int]:
  """Returns the arguments; raises ValueError if they are invalid."""
  if coordinator is None or num_processes is None or process_id is None:
    raise ValueError(
      f"got coordinator={coordinator!r}, num_processes={num_processes}, "
      f"process_id={process_id}: give all three, or none on a cluster."
    )
  if num_processes < 1:
    raise ValueError(f"num_processes must be at least 1, got {num_processes}.")
  if not 0 <= process_id < num_processes:
    raise ValueError(
      f"process_id must be from 0 to {num_processes - 1} with "
      f"num_processes {num_processes}, got {process_id}."
    )
  return coordinator, num_processes, process_id


def _parse_address(coordinator: str) -> tuple[str, int]:
  """Returns the host and port of "host:port"."""
  host, _, port = coordinator.rpartition(":")
  if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
    raise ValueError(
      "coordinator must be host:port with a port from 1 to "
      f"65535, such as 10.0.0.2:1234, got {coordinator!r}."
    )
  return host.strip("[]"), int(port)
