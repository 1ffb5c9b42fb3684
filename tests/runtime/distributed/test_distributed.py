"""Tests that real processes start, end and fail together."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from mixup_jax.runtime import distributed
from tests import subprocesses

HERE = socket.gethostname()

# All-reduces over a mesh of two devices per process, until it is stopped.
SCRIPT = """
import json, sys, time
import jax
import numpy as np
from mixup_jax import sharding
from mixup_jax.runtime import distributed, preemption

mode, start = sys.argv[1], json.loads(sys.argv[2])
distributed.initialize(initialization_timeout=60, **start)
with distributed.peers_watched():
  me = jax.process_index()
  mesh = sharding.make_mesh()
  rows, everywhere = sharding.sharded(mesh), sharding.replicated(mesh)
  batch = np.arange(12, dtype=np.int32)
  total = jax.jit(lambda x: x.sum(), out_shardings=everywhere)
  with jax.transfer_guard("disallow"), preemption.noticed():
    for dispatch in range(10**6):
      shared = sharding.put(batch, rows)
      assert int(jax.device_get(total(shared))) == 66
      if dispatch == 3:
        print("ready", flush=True)
        if mode == "end":
          break
        if mode == "value" and me == 1:
          raise ValueError("of process 1")
      if preemption.reached(10 * dispatch):  # As with 10 steps a dispatch.
        print("left at", dispatch, flush=True)
        break
      if mode == "busy":
        sum(range(10**7))  # Holds the lock that any other thread needs.
      time.sleep(0.005)
  if mode == "end" and me == 1:
    time.sleep(1)  # The first one is to wait for it.
print("ended", flush=True)
"""


class Run:
  """Several processes of the script, and their output."""

  def __init__(self, folder, count, mode, beat=10):
    self.folder, self.processes = folder, []
    with socket.create_server(("", 0)) as server:
      port = server.getsockname()[1]
    environment = subprocesses.environment(2) | {"PYTHONPATH": os.getcwd()}
    for index in range(count):
      start = json.dumps(
        dict(
          coordinator=f"127.0.0.1:{port}",
          num_processes=count,
          process_id=index,
          heartbeat_timeout_seconds=beat,
        )
      )
      with (
        open(folder / f"out{index}", "w") as out,
        open(folder / f"err{index}", "w") as err,
      ):
        self.processes.append(
          subprocess.Popen(
            [sys.executable, "-c", SCRIPT, mode, start],
            stdout=out,
            stderr=err,
            env=environment,
          )
        )

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

  def send(self, index, number):
    """Sends a signal once all processes are running."""
    everyone = range(len(self.processes))
    deadline = time.monotonic() + 60
    while not all("ready" in self.out(i) for i in everyone):
      ended = [p.poll() for p in self.processes]
      assert ended == [None] * len(ended), [self.err(i) for i in everyone]
      assert time.monotonic() < deadline, [self.err(i) for i in everyone]
      time.sleep(0.02)
    self.processes[index].send_signal(number)

  def assert_ended(self, index, status=0):
    assert self.processes[index].wait(60) == status, self.err(index)
    assert "is gone" not in self.err(index)

  def assert_left_for(self, index, words):
    status = self.processes[index].wait(60)
    assert status == distributed.RESTART_STATUS, self.err(index)
    assert f"error: process {words}" in self.err(index)


@pytest.mark.slow
def test_peers_watched_ends_in_order(tmp_path):
  with Run(tmp_path, 2, "end") as run:
    for index in range(2):
      run.assert_ended(index)
      assert run.out(index).endswith("ended\n") and not run.err(index)


@pytest.mark.slow
def test_preemption_of_one_process_stops_all_at_the_same_step(tmp_path):
  with Run(tmp_path, 2, "run") as run:
    run.send(1, signal.SIGTERM)
    run.send(1, signal.SIGTERM)
    lasts = set()
    for index in range(2):
      run.assert_ended(index)
      lasts.add(run.out(index).splitlines()[-2])
    assert len(lasts) == 1 and "left at" in lasts.pop()


@pytest.mark.slow
def test_peers_watched_names_a_killed_worker_in_all_others(tmp_path):
  with Run(tmp_path, 3, "run") as run:
    run.send(2, signal.SIGKILL)
    for index in (0, 1):
      run.assert_left_for(index, f"2 ({HERE}) is gone, its connection was clos")


@pytest.mark.slow
def test_peers_watched_names_a_killed_coordinator(tmp_path):
  with Run(tmp_path, 2, "busy") as run:
    run.send(0, signal.SIGKILL)
    run.assert_left_for(1, f"0 ({HERE}) is gone")


@pytest.mark.slow
def test_peers_watched_names_a_coordinator_that_hangs(tmp_path):
  with Run(tmp_path, 2, "run", beat=3) as run:
    run.send(0, signal.SIGSTOP)
    run.assert_left_for(1, f"0 ({HERE}) is gone, it has been silent for 3 s")


@pytest.mark.slow
def test_peers_watched_raises_an_error_and_sends_it_to_the_others(tmp_path):
  with Run(tmp_path, 2, "value") as run:
    run.assert_ended(1, status=1)
    assert "Traceback" in run.err(1)
    run.assert_left_for(
      0, f"1 ({HERE}) is gone, it ended with ValueError: of process 1"
    )
