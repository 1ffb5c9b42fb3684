"""Tests of the devices that a process has under Slurm and Open MPI."""

import pytest

from mixup_jax.runtime.distributed import _local_devices


def slurm(tasks, nodes, index=0, seen=None, gpus=4):
  environ = {
    "SLURM_JOB_ID": "1",
    "SLURM_STEP_NODELIST": "gpu[1-4]",
    "SLURM_LOCALID": str(index),
    "SLURM_PROCID": "0",
    "SLURM_NTASKS": str(tasks),
    "SLURM_STEP_NUM_NODES": str(nodes),
    "SLURM_GPUS_ON_NODE": str(gpus),
    "CUDA_VISIBLE_DEVICES": seen,
  }
  return {name: value for name, value in environ.items() if value is not None}


def open_mpi(size, rank=0, **more):
  return {
    "OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://10.0.0.1:3491",
    "OMPI_COMM_WORLD_SIZE": "8",
    "OMPI_COMM_WORLD_RANK": "5",
    "OMPI_COMM_WORLD_LOCAL_SIZE": str(size),
    "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
    **more,
  }


ALL = None  # That it sees.


@pytest.mark.parametrize(
  "environ, devices",
  [
    # A process a host, as the launch file has it.
    (slurm(4, 4), ALL),
    (slurm(4, 4, seen="0,1,2,3"), ALL),
    (slurm(1, 1), ALL),
    (slurm(4, 4, index=3), ALL),
    # A process a GPU, all of which each sees, as with --processes_per_host=4.
    (slurm(16, 4, index=2), [2]),
    (slurm(16, 4, index=2, seen="0,1,2,3"), [2]),
    (slurm(4, 1, index=3), [3]),
    # The same, each bound to its own: a device 2 there is not.
    (slurm(16, 4, index=2, seen="0"), ALL),
    (slurm(16, 4, index=2, seen="2"), ALL),
    (slurm(16, 4, index=2, seen="2", gpus=1), ALL),
    # A process for two GPUs.
    (slurm(8, 4, index=1, seen="0,1,2,3"), [2, 3]),
    (slurm(8, 4, index=1, seen="2,3"), ALL),
    (slurm(8, 4, index=1, seen="0,1,2,3,4,5,6,7", gpus=8), [4, 5, 6, 7]),
    # Where it is not clear, jax takes the one of its index.
    (slurm(12, 4, index=1), [1]),
    (slurm(5, 4, index=1), [1]),
    (open_mpi(4, 3), [3]),
    (open_mpi(4, 3, CUDA_VISIBLE_DEVICES="3"), ALL),
    (open_mpi(1), ALL),
    (slurm(8, 4, index=1) | {"JAX_LOCAL_DEVICE_IDS": "0,3"}, [0, 3]),
    ({}, ALL),
  ],
)
def test_options_have_jax_take_the_devices_of_this_process(
  monkeypatch, environ, devices
):
  from jax._src import distributed as of_jax

  monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")
  for name in ("CUDA_VISIBLE_DEVICES", "SLURM_LOCALID"):
    monkeypatch.delenv(name, raising=False)
  for name, value in environ.items():
    monkeypatch.setenv(name, value)
  taken = []
  state = of_jax.State()
  monkeypatch.setattr(of_jax.config, "update", lambda *x: taken.append(x))
  monkeypatch.setattr(of_jax._jax, "get_distributed_runtime_client", stop)
  with pytest.raises(StopIteration):
    state.initialize("h:1", 9, 5, **_local_devices.options(environ))
  seen = dict(taken).get("jax_cuda_visible_devices", ALL)
  assert seen == (ALL if devices is ALL else ",".join(map(str, devices)))


def stop(*_, **__):
  raise StopIteration
