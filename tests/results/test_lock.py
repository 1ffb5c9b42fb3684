"""Tests of the one owner of a working directory."""

import contextlib
import errno
import fcntl
import importlib.util
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading

import jax
import pytest

from mixup_jax.results import lock
from mixup_jax.runtime import storage

# Another process, which starts in no time without jax.
OWNER = """
import importlib.util, pathlib, sys, time, types
sys.modules["jax"] = types.SimpleNamespace(process_index=lambda: 0)
spec = importlib.util.spec_from_file_location("lock", sys.argv[1])
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)
with lock.held(pathlib.Path(sys.argv[2])):
  print("owned", flush=True)
  time.sleep(100)
"""


def test_held_names_the_owner_until_kill_9_ends_it(tmp_path):
  path = importlib.util.find_spec(lock.__name__).origin
  owner = subprocess.Popen(
    [sys.executable, "-c", OWNER, path, str(tmp_path)], stdout=subprocess.PIPE
  )
  with owner:
    try:
      assert owner.stdout.readline() == b"owned\n"
      with pytest.raises(OSError) as error, lock.held(tmp_path):
        raise AssertionError("two owners")
    finally:
      owner.send_signal(signal.SIGKILL)
  assert str(error.value).startswith(
    f"the working directory {tmp_path} is in use by process {owner.pid} on "
    f"host {socket.gethostname()}, since 20"
  )
  with lock.held(tmp_path):
    pass


def test_held_is_won_by_one_of_ten_at_once(tmp_path, monkeypatch):
  monkeypatch.setattr(lock, "_NAME_SECONDS", 0.01)
  start, end = threading.Barrier(10), threading.Barrier(10)
  outcomes = []

  def contend():
    start.wait()
    try:
      with lock.held(tmp_path):
        outcomes.append("owner")
        end.wait()
    except OSError as error:
      outcomes.append(str(error))
      end.wait()

  threads = [threading.Thread(target=contend) for _ in range(10)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert outcomes.count("owner") == 1
  assert sum(f"process {os.getpid()} on host" in x for x in outcomes) == 9


def test_held_names_the_latest_owner(tmp_path):
  (tmp_path / ".owner").write_text('{"host": "a", "pid": 1, "since": "then"}')
  with lock.held(tmp_path):
    with pytest.raises(OSError, match=f"process {os.getpid()} on host"):
      lock.held(tmp_path).__enter__()
    (tmp_path / ".owner").write_text("damaged")
    with pytest.raises(OSError, match="in use by another process"):
      lock.held(tmp_path).__enter__()


def test_held_is_for_the_first_process_alone(tmp_path, monkeypatch):
  with lock.held(tmp_path):
    monkeypatch.setattr(jax, "process_index", lambda: 1)
    with lock.held(tmp_path):
      pass


def test_held_reports_a_file_system_without_locks(
  tmp_path, monkeypatch, capsys
):
  def refuse(*_):
    raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

  monkeypatch.setattr(fcntl, "flock", refuse)
  entered = False
  with lock.held(pathlib.Path(tmp_path)):
    entered = True
  assert entered
  assert (
    f"{tmp_path} cannot be locked (Operation not" in capsys.readouterr().err
  )


def test_held_is_a_lease_in_a_bucket(bucket, monkeypatch):
  held = []

  @contextlib.contextmanager
  def leased(directory):
    held.append(directory)
    yield

  monkeypatch.setattr(storage, "leased", leased)
  workdir = storage.path(bucket, "workdir")
  with lock.held(workdir):
    assert held == [workdir]
  monkeypatch.setattr(jax, "process_index", lambda: 1)
  with lock.held(workdir):
    assert held == [workdir]
