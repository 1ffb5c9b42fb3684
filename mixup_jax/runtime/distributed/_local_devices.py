"""Which devices of its host a process has, under Slurm and Open MPI.

There jax gives each process the one device of its number on the host. That is
right for a process a GPU where each sees all GPUs, and for nothing else.
"""

from typing import Any, Mapping

_SEEN = "CUDA_VISIBLE_DEVICES"


def options(environ: Mapping[str, str]) -> dict[str, Any]:
  """Returns the arguments of `jax.distributed.initialize` for local devices.

  Args:
    environ: The environment of this process.

  Returns:
    Those that leave it all devices that it sees, if it is alone on its host or
    the others see different ones; those that give it its equal share, if all
    see all GPUs of the host; else none, and jax decides. JAX_LOCAL_DEVICE_IDS
    goes before them all.
  """
  processes, index = _on_this_host(environ)
  seen = len(list(filter(None, environ.get(_SEEN, "").split(","))))
  on_host = int(environ.get("SLURM_GPUS_ON_NODE", 0))
  is_told = "JAX_LOCAL_DEVICE_IDS" in environ  # Which jax reads by itself.
  if is_told or processes == 1 or seen == 1 or 0 < seen < on_host:
    return {"cluster_detection_method": "deactivate"}
  share, rest = divmod(on_host, processes) if processes else (0, 0)
  if share and not rest:
    return {"local_device_ids": [index * share + i for i in range(share)]}
  return {}


def _on_this_host(environ: Mapping[str, str]) -> tuple[int, int]:
  """Returns how many processes this host has, 0 if unknown, and its index."""
  if "SLURM_LOCALID" not in environ:
    count = int(environ.get("OMPI_COMM_WORLD_LOCAL_SIZE", 1))
    return count, int(environ.get("OMPI_COMM_WORLD_LOCAL_RANK", 0))
  nodes = environ.get("SLURM_STEP_NUM_NODES") or environ.get(
    "SLURM_NNODES", "0"
  )
  tasks = int(environ.get("SLURM_NTASKS", 0))
  count, rest = divmod(tasks, int(nodes)) if int(nodes) else (0, 0)
  # Where hosts have different numbers, none is known.
  return 0 if rest else count, int(environ["SLURM_LOCALID"])
