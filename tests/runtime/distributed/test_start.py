"""Tests of `initialize`, and of the detection of clusters.

The metadata server of a TPU VM is simulated; a real one is not tested.
"""

import socket
import sys
import types

import jax
import pytest

from mixup_jax.runtime import distributed
from mixup_jax.runtime.distributed import _start


@pytest.mark.parametrize(
  "change, message",
  [
    (dict(process_id=None), "process_id=None: give all three, or none"),
    (dict(coordinator=None), "coordinator=None.*give all three, or none"),
    (dict(process_id=2), "from 0 to 1 with num_processes 2, got 2"),
    (dict(process_id=-1), "got -1"),
    (dict(num_processes=0), "at least 1, got 0"),
    (dict(coordinator="host"), "host:port .* got 'host'"),
    (dict(coordinator="host:http"), "got 'host:http'"),
    (dict(coordinator="host:70000"), "from 1 to 65535, .* got 'host:70000'"),
    (dict(coordinator=":1234"), "got ':1234'"),
  ],
)
def test_initialize_errors_name_the_value_and_the_remedy(change, message):
  start = dict(coordinator="host:1234", num_processes=2, process_id=0)
  with pytest.raises(ValueError, match=message):
    distributed.initialize(**start | change)


def test_parse_address_takes_ipv6():
  assert _start._parse_address("[::1]:1234") == ("::1", 1234)


def test_initialize_without_arguments_needs_a_cluster(monkeypatch):
  monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")
  with pytest.raises(ValueError, match="found no cluster.*give coordinator"):
    distributed.initialize()


@pytest.mark.parametrize(
  "environment, found",
  [
    (
      dict(
        SLURM_JOB_ID="1",
        SLURM_STEP_NODELIST="node7",
        SLURM_NTASKS="4",
        SLURM_PROCID="3",
        SLURM_LOCALID="3",
      ),
      ("node7:1234", 4, 3),
    ),
    # One process per host, on numbered hosts.
    (
      dict(
        SLURM_JOB_ID="1",
        SLURM_STEP_NODELIST="gpu[017-018,040]",
        SLURM_NTASKS="3",
        SLURM_PROCID="2",
        SLURM_LOCALID="0",
      ),
      ("gpu017:1234", 3, 2),
    ),
    (
      dict(
        OMPI_MCA_orte_hnp_uri="1531576320.0;tcp://10.0.0.1,10.0.0.2:3491",
        OMPI_COMM_WORLD_SIZE="8",
        OMPI_COMM_WORLD_RANK="5",
        OMPI_COMM_WORLD_LOCAL_RANK="1",
      ),
      ("10.0.0.1:1234", 8, 5),
    ),
  ],
)
def test_detect_identifies_the_process_on_slurm_and_open_mpi(
  monkeypatch, environment, found
):
  monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")
  monkeypatch.setenv("JAX_COORDINATOR_PORT", "1234")
  for name, value in environment.items():
    monkeypatch.setenv(name, value)
  assert _start._detect(1) == found


@pytest.mark.parametrize(
  "tasks, options",
  [
    (4, {"cluster_detection_method": "deactivate"}),  # A process a host.
    (8, {"local_device_ids": [2, 3]}),
  ],
)
def test_initialize_gives_a_process_its_devices_under_slurm(
  monkeypatch, tasks, options
):
  monkeypatch.setenv("SLURM_NTASKS", str(tasks))
  monkeypatch.setenv("SLURM_STEP_NUM_NODES", "4")
  monkeypatch.setenv("SLURM_LOCALID", "1")
  monkeypatch.setenv("SLURM_GPUS_ON_NODE", "4")
  monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
  found = []
  monkeypatch.setattr(
    jax.distributed, "initialize", lambda *_, **options: found.append(options)
  )
  monkeypatch.setattr(_start._meeting, "gather", lambda *_: ({}, 1))
  monkeypatch.setattr(_start._watch, "begin", lambda *_: None)
  distributed.initialize(coordinator="h:1", num_processes=4, process_id=0)
  assert options.items() <= found[0].items()
  assert (
    len(found[0].keys() & {"cluster_detection_method", "local_device_ids"}) == 1
  )


@pytest.fixture
def tpu(monkeypatch):
  """Simulates a TPU VM, its metadata and its name service."""
  from jax._src.clusters import cloud_tpu_cluster

  metadata = {}
  monkeypatch.delenv("TPU_SKIP_MDS_QUERY", raising=False)
  monkeypatch.setattr(cloud_tpu_cluster, "running_in_cloud_tpu_vm", True)
  monkeypatch.setattr(
    cloud_tpu_cluster,
    "get_metadata",
    lambda key: (metadata.get(key, ""), 200 if key in metadata else 404),
  )
  monkeypatch.setattr(socket, "gethostbyname", lambda name: "10.0.0.1")
  return metadata


@pytest.mark.parametrize(
  "environment, found",
  [
    # The containers of a JobSet of one slice on GKE.
    (
      dict(
        TPU_WORKER_ID="3",
        TPU_WORKER_HOSTNAMES="mixup-workers-0-0.mixup,"
        "mixup-workers-0-1.mixup,mixup-workers-0-2.mixup,"
        "mixup-workers-0-3.mixup",
      ),
      ("mixup-workers-0-0.mixup:8482", 4, 3),
    ),
    # The second of two slices.
    (
      dict(
        TPU_WORKER_ID="1",
        TPU_WORKER_HOSTNAMES="a,b",
        MEGASCALE_COORDINATOR_ADDRESS="mixup-workers-0-0.mixup",
        MEGASCALE_NUM_SLICES="2",
        MEGASCALE_SLICE_ID="1",
      ),
      ("mixup-workers-0-0.mixup:8482", 4, 3),
    ),
    (
      dict(TPU_WORKER_ID="1", TPU_PROCESS_ADDRESSES="a:8476,b:8476"),
      ("a:8482", 2, 1),
    ),
  ],
)
def test_detect_identifies_the_process_on_gke(
  monkeypatch, tpu, environment, found
):
  for name, value in environment.items():
    monkeypatch.setenv(name, value)
  assert _start._detect(1) == found


@pytest.mark.parametrize(
  "hosts", ["10.0.0.1,10.0.0.2", "w0:0:10.0.0.1,w1:1:10.0.0.2"]
)
def test_detect_identifies_the_process_on_a_tpu_vm(tpu, hosts):
  tpu |= {"agent-worker-number": "1", "worker-network-endpoints": hosts}
  assert _start._detect(1) == ("10.0.0.1:8482", 2, 1)


def test_detect_identifies_the_process_in_a_jobset(monkeypatch):
  from jax._src.clusters import k8s_cluster

  space = types.SimpleNamespace
  api = space(
    load_incluster_config=lambda: None,
    CoreV1Api=space,
    BatchV1Api=space,
    exceptions=space(ApiException=OSError),
  )
  monkeypatch.setitem(sys.modules, "kubernetes", space(config=api, client=api))
  monkeypatch.setattr(socket, "gethostbyname", lambda name: "10.0.0.1")
  owner = space(controller=True, kind="Job")
  labels = {"jobset.sigs.k8s.io/jobset-name": "mixup"}
  for name, value in dict(
    _pod=space(metadata=space(name="p", owner_references=[owner])),
    _controller=owner,
    _job=space(
      metadata=space(name="mixup-workers-0", labels=labels),
      spec=space(parallelism=4),
    ),
  ).items():
    monkeypatch.setattr(k8s_cluster.K8sCluster, name, lambda value=value: value)
  monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")
  monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.9")
  monkeypatch.setenv("JOB_COMPLETION_INDEX", "2")
  assert _start._detect(0) == ("mixup-workers-0-0.mixup:55527", 4, 2)
  monkeypatch.delenv("JOB_COMPLETION_INDEX")
  with pytest.raises(
    ValueError, match="cluster does not identify .*Indexed.*or giv"
  ):
    _start._detect(0)


def test_detect_times_out_if_a_host_has_no_address(monkeypatch, tpu):

  def unknown(name):
    raise socket.gaierror(name)

  monkeypatch.setenv("TPU_WORKER_ID", "1")
  monkeypatch.setenv("TPU_WORKER_HOSTNAMES", "pod-0,pod-1")
  monkeypatch.setattr(socket, "gethostbyname", unknown)
  with pytest.raises(TimeoutError, match="coordinator address pod-0.*check"):
    _start._detect(0)


def test_initialize_refuses_a_second_call(monkeypatch):
  monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
  with pytest.raises(RuntimeError, match="already: call initialize once"):
    distributed.initialize()
