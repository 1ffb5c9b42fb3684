"""Proves that processes start, end and fail together, with real processes."""

import concurrent.futures
import os
import signal
import socket
import subprocess
import sys
import time

import chex
import jax
import numpy as np
import pytest

from mixup_jax import distributed
from mixup_jax import sharding

# All-reduces over a mesh of two devices a process, until told otherwise.
SCRIPT = """
import sys, time
import jax
import numpy as np
from mixup_jax import distributed, preemption

mode, beat, start = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3])
distributed.initialize(heartbeat_timeout_seconds=beat,
                       initialization_timeout=60, **start)
with distributed.peers_watched():
  me = jax.process_index()
  mesh = jax.make_mesh((jax.device_count(),), ("data",),
                       axis_types=(jax.sharding.AxisType.Auto,))
  rows = jax.sharding.NamedSharding(mesh, jax.P("data"))
  batch = np.arange(12, dtype=np.int32)
  total = jax.jit(lambda x: x.sum(), out_shardings=jax.NamedSharding(
      mesh, jax.P()))
  with jax.transfer_guard("disallow"), preemption.Preemption() as preempted:
    for dispatch in range(10**6):
      shared = distributed.put(batch, rows)
      assert int(jax.device_get(total(shared))) == 66
      if dispatch == 10:
        print("ready", flush=True)
        if mode == "end":
          break
        if mode == "value" and me == 1:
          raise ValueError("of process 1")
        if mode == "diverge":
          raise FloatingPointError("of all")
      if preempted.reached(10 * dispatch):  # As with 10 steps a dispatch.
        print("left at", dispatch, flush=True)
        break
      if mode == "busy":
        sum(range(10**7))  # Holds the lock that any other thread needs.
      time.sleep(0.005)
  held = np.concatenate([s.data for s in shared.addressable_shards])
  assert held.tolist() == batch[distributed.host_block(12)].tolist()
  if mode == "end" and me == 1:
    time.sleep(1)  # The others are not to take its last bit for a hang.
print("ended", flush=True)
"""


class Run:
  """Some processes of the script, and what they print."""

  def __init__(self, folder, count, mode, beat=10, slurm=False):
    self.folder, self.processes = folder, []
    port = free_port()
    for index in range(count):
      start = dict(coordinator=f"127.0.0.1:{port}",
                   num_processes=count,
                   process_id=index)
      environment = dict(os.environ,
                         XLA_FLAGS="--xla_force_host_platform_device_count=2",
                         PYTHONPATH=os.getcwd())
      if slurm:
        start = {}
        environment |= dict(SLURM_JOB_ID="1",
                            SLURM_STEP_NODELIST="localhost",
                            SLURM_NTASKS=str(count),
                            SLURM_PROCID=str(index),
                            SLURM_LOCALID=str(index),
                            JAX_COORDINATOR_PORT=str(port))
      with (open(folder / f"out{index}", "w") as
            out, open(folder / f"err{index}", "w") as err):
        self.processes.append(
            subprocess.Popen(
                [sys.executable, "-c", SCRIPT, mode,
                 str(beat),
                 repr(start)],
                stdout=out,
                stderr=err,
                env=environment))

  def __enter__(self):
    return self

  def __exit__(self, *_):
    for process in self.processes:
      process.kill()
      process.wait()

  def out(self, index):
    return (self.folder / f"out{index}").read_text()

  def err(self, index):
    return (self.folder / f"err{index}").read_text()

  def wait_until_ready(self):
    deadline = time.monotonic() + 60
    while not all("ready" in self.out(i) for i in range(len(self.processes))):
      assert time.monotonic() < deadline, [
          self.err(i) for i in range(len(self.processes))
      ]
      time.sleep(0.02)

  def send(self, index, number):
    self.wait_until_ready()
    self.processes[index].send_signal(number)

  def status(self, index, timeout=30):
    return self.processes[index].wait(timeout)


def free_port() -> int:
  with socket.create_server(("", 0)) as server:
    return server.getsockname()[1]


def assert_left_for(run, index, words):
  assert run.status(index) == distributed.RESTART_STATUS, run.err(index)
  assert words in run.err(index)
  assert "the same command continues from the last" in run.err(index)


@pytest.mark.slow
@pytest.mark.parametrize("slurm", [False, True], ids=["given", "detected"])
def test_processes_start_and_end_in_order(tmp_path, slurm):
  with Run(tmp_path, 2, "end", beat=2, slurm=slurm) as run:
    for index in range(2):
      assert run.status(index, 60) == 0, run.err(index)
      assert "ended" in run.out(index) and "error" not in run.err(index)


@pytest.mark.slow
def test_a_preemption_of_one_ends_all_at_the_same_step(tmp_path):
  with Run(tmp_path, 2, "run") as run:
    run.send(1, signal.SIGTERM)
    run.send(1, signal.SIGTERM)
    lasts = set()
    for index in range(2):
      assert run.status(index) == 0, run.err(index)
      lasts |= {
          line for line in run.out(index).splitlines() if "left at" in line
      }
    assert len(lasts) == 1


@pytest.mark.slow
def test_a_killed_worker_is_named_by_all_others(tmp_path):
  with Run(tmp_path, 3, "run") as run:
    run.send(2, signal.SIGKILL)
    for index in (0, 1):
      assert_left_for(
          run, index, f"error: process 2 ({socket.gethostname()}) is gone, "
          "its connection was closed")


@pytest.mark.slow
def test_a_killed_coordinator_is_named(tmp_path):
  with Run(tmp_path, 2, "busy") as run:
    run.send(0, signal.SIGKILL)
    assert_left_for(run, 1, "error: process 0 (")


@pytest.mark.slow
@pytest.mark.parametrize("who", [0, 1], ids=["coordinator", "worker"])
def test_a_process_that_hangs_is_named(tmp_path, who):
  with Run(tmp_path, 2, "run", beat=3) as run:
    run.send(who, signal.SIGSTOP)
    assert_left_for(run, 1 - who,
                    f"process {who} ({socket.gethostname()}) is gone, it has "
                    "been silent for 3 s")  # yapf: disable


@pytest.mark.slow
def test_an_error_of_one_passes_and_is_told_to_the_others(tmp_path):
  with Run(tmp_path, 2, "value") as run:
    assert run.status(1) == 1
    assert "Traceback" in run.err(1) and "is gone" not in run.err(1)
    assert_left_for(
        run, 0, f"process 1 ({socket.gethostname()}) is gone, it ended with "
        "ValueError: of process 1")


@pytest.mark.slow
def test_an_error_of_all_is_the_error_of_each(tmp_path):
  with Run(tmp_path, 2, "diverge") as run:
    for index in range(2):
      assert run.status(index) == 1
      assert "FloatingPointError: of all" in run.err(index)
      assert "is gone" not in run.err(index)


def meet(*starts):
  """Starts processes as threads; none gets so far as to call jax."""
  with concurrent.futures.ThreadPoolExecutor() as pool:
    tasks = [
        pool.submit(distributed.initialize, initialization_timeout=1, **start)
        for start in starts
    ]
  return [task.exception() for task in tasks]


def starts(*ids, of):
  address = f"localhost:{free_port()}"
  return [
      dict(coordinator=address, num_processes=of, process_id=i) for i in ids
  ]


def test_processes_that_do_not_come_are_named_everywhere():
  errors = meet(*starts(0, 2, of=5))
  assert len(errors) == 2
  for error in errors:
    assert isinstance(error, TimeoutError)
    assert "3 of 5 processes did not come: 1, 3, 4." in str(error)


def test_a_coordinator_that_does_not_come_is_named():
  error, = meet(*starts(1, of=2))
  assert isinstance(error, TimeoutError)
  assert "process 0 did not answer at localhost:" in str(error)


def test_processes_that_do_not_fit_are_told_apart():
  for error in meet(*starts(0, 1, 1, of=4)):
    assert "two processes have process_id 1, on " in str(error)
  first, second = starts(0, 1, of=4)
  for error in meet(first, second | {"num_processes": 3}):
    assert isinstance(error, ValueError)
    assert "has num_processes 3, and process 0 has 4" in str(error)


def test_strangers_are_not_let_in():
  start, = starts(0, of=2)
  port = int(start["coordinator"].split(":")[1])
  with concurrent.futures.ThreadPoolExecutor() as pool:
    task = pool.submit(meet, start)
    for words in (b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b""):
      for _ in range(100):
        try:
          with socket.create_connection(("localhost", port)) as connection:
            connection.sendall(words)
          break
        except ConnectionRefusedError:
          time.sleep(0.01)
  assert "1 of 2 processes did not come: 1." in str(task.result()[0])


def test_a_port_in_use_is_named():
  with socket.create_server(("", 0)) as server:
    port = server.getsockname()[1]
    with pytest.raises(OSError, match=f"port {port} .*: choose another"):
      distributed.initialize(coordinator=f"localhost:{port}",
                             num_processes=2,
                             process_id=0)


@pytest.mark.parametrize("change, message", [
    (dict(process_id=None), "process_id=None: give all three, or none"),
    (dict(coordinator=None), "coordinator=None.*give all three, or none"),
    (dict(process_id=2), "from 0 to 1 with num_processes 2, got 2"),
    (dict(process_id=-1), "got -1"),
    (dict(num_processes=0), "at least 1, got 0"),
    (dict(coordinator="host"), "host:port .* got 'host'"),
    (dict(coordinator="host:http"), "got 'host:http'"),
    (dict(coordinator="host:70000"), "from 1 to 65535, .* got 'host:70000'"),
    (dict(coordinator=":1234"), "got ':1234'"),
])
def test_bad_arguments_name_the_value_and_the_remedy(change, message):
  start = dict(coordinator="host:1234", num_processes=2, process_id=0)
  with pytest.raises(ValueError, match=message):
    distributed.initialize(**start | change)


def test_without_a_cluster_there_is_nothing_to_detect(monkeypatch):
  monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")
  with pytest.raises(ValueError, match="found no cluster.*give coordinator"):
    distributed.initialize()


def test_one_process_needs_no_watch():
  with pytest.raises(KeyError, match="mine"), distributed.peers_watched():
    raise KeyError("mine")
  assert distributed.host_block(6) == slice(0, 6)


def test_host_blocks_cover_the_batch(monkeypatch):
  monkeypatch.setattr(jax, "process_count", lambda: 3)
  rows = []
  for index in range(3):
    monkeypatch.setattr(jax, "process_index", lambda index=index: index)
    rows += range(12)[distributed.host_block(12)]
  assert rows == list(range(12))
  with pytest.raises(ValueError, match="batch of 10 .* 3 processes: use a mul"):
    distributed.host_block(10)


@pytest.mark.parametrize("place", [sharding.sharded, sharding.replicated])
def test_put_is_device_put_for_one_process(place):
  where = place(sharding.make_mesh())
  tree = {
      "ids": np.arange(16, dtype=np.int32),
      "images": np.ones((8, 4, 4), np.uint8),
      "pair": (np.zeros((8, 2), np.float32),)
  }
  with jax.transfer_guard("disallow"):
    put = distributed.put(tree, where)
  expected = jax.device_put(tree, where)
  chex.assert_trees_all_equal(put, expected)
  chex.assert_trees_all_equal_shapes_and_dtypes(put, expected)
  assert all(x.sharding == where for x in jax.tree.leaves(put))
