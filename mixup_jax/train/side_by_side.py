"""How many seeds a device trains side by side: as many as its memory holds.

On a processor few fit its cache, and a number of the caller serves; on an
accelerator a small network leaves most of the chip idle, and more are free.
"""

from typing import Any, Callable, Iterable

import jax
from jax.experimental import multihost_utils
import numpy as np

from mixup_jax.train import backend

# The rest is for what a program needs besides its arrays: its code, the inputs
# of the next step, and holes between arrays.
_SHARE = 0.85
_FULL = "RESOURCE_EXHAUSTED"
# Lowers the programs of so many seeds on a device.
Lower = Callable[[int], Iterable[jax.stages.Lowered]]


def choose(most: int, *, on_cpu: int, lower: Lower) -> int:
  """Returns how many seeds a device of the default backend trains at a time.

  Args:
    most: The number of seeds that there are for a device.
    on_cpu: The number on a CPU, and where the size of the memory is unknown.
    lower: Lowers each program that trains or measures, for so many seeds.

  Returns:
    The number, equal in all processes; `largest` explains it.
  """
  if backend.on_cpu():
    return on_cpu
  stats = [device.memory_stats() or {} for device in jax.local_devices()]
  limit = min(each.get("bytes_limit", 0) for each in stats)
  if jax.process_count() > 1:  # All train groups of one size.
    with jax.transfer_guard("allow"):
      limits = multihost_utils.process_allgather(np.float32(limit))
    limit = float(np.min(limits))
  return largest(most, limit, lower=lower) if limit else on_cpu


def largest(most: int, limit: float, *, lower: Lower) -> int:
  """Returns how many seeds fit into a memory, by what the compiler allots.

  Args:
    most: The number to begin with; it is halved until all programs fit. One
      seed is returned without a look.
    limit: Bytes of the memory.
    lower: As in `choose`.

  Returns:
    `most`, or the half of it, and so on, rounded up.
  """
  size = most
  while size > 1 and not all(
    num_bytes(each) <= _SHARE * limit for each in lower(size)
  ):
    size = -(-size // 2)
  return size


def num_bytes(lowered: jax.stages.Lowered) -> float:
  """Returns the bytes that a program takes on a device, its inputs included.

  They are infinite if the compiler does not say, or finds the memory too small.
  """
  try:
    found = lowered.compile().memory_analysis()
  except jax.errors.JaxRuntimeError as error:
    if _FULL not in str(error):
      raise
    return float("inf")
  return float("inf") if found is None else allotted(found)


def allotted(sizes: Any) -> int:
  """Returns the bytes of arguments, results and temporaries of a program.

  Args:
    sizes: As `jax.stages.Compiled.memory_analysis` returns them. What results
      take over from arguments counts once.
  """
  return int(
    sizes.argument_size_in_bytes
    + sizes.output_size_in_bytes
    + sizes.temp_size_in_bytes
    - sizes.alias_size_in_bytes
  )
