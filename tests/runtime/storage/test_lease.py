"""Tests of the lock of a directory in a bucket."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from mixup_jax.runtime import preemption
from mixup_jax.runtime import storage
from mixup_jax.runtime.storage import _lease

OWNER = """
import sys, time
from mixup_jax.runtime import storage
from mixup_jax.runtime.storage import _lease
_lease._RENEWAL_SECONDS = 0.05
with storage.leased(storage.path(sys.argv[1], "workdir")):
  print("owned", flush=True)
  time.sleep(100)
"""


@pytest.fixture
def directory(bucket, monkeypatch):
  """Returns a directory in a bucket, of which leases expire soon."""
  monkeypatch.setattr(_lease, "_RENEWAL_SECONDS", 0.05)
  monkeypatch.setattr(_lease, "_EXPIRY_SECONDS", 0.4)
  monkeypatch.setattr(_lease, "_POLL_SECONDS", 0.02)
  return storage.path(bucket, "workdir")


def forget(directory, **changes):
  """Writes an owner as another process would have left it."""
  owner = {"host": "a", "pid": 1, "since": "then", "machine": "b", "token": "c"}
  (directory / ".owner").write_bytes(json.dumps(owner | changes).encode())


def test_leased_refuses_an_owner_that_renews_and_is_free_afterwards(
  directory, capsys
):
  with storage.leased(directory):
    with pytest.raises(OSError) as error, storage.leased(directory):
      raise AssertionError("two owners")
  assert str(error.value).startswith(
    f"the working directory {directory} is in use by process {os.getpid()} on "
    f"host {socket.gethostname()}, since 20"
  )
  assert storage.files_below(directory) == []
  with storage.leased(directory):
    pass


def test_leased_waits_for_an_owner_that_was_asked_to_stop(
  directory, monkeypatch, capsys
):
  """Longer than a lease lasts: it renews, as a pod that is saving does."""
  monkeypatch.setattr(preemption, "_is_noticed", True)
  first = contextlib.ExitStack()
  first.enter_context(storage.leased(directory))
  ends = time.monotonic() + 3 * _lease._EXPIRY_SECONDS
  timer = threading.Timer(3 * _lease._EXPIRY_SECONDS, first.close)
  timer.start()
  with storage.leased(directory):
    assert time.monotonic() >= ends
  timer.join()


def test_leased_takes_over_what_is_not_renewed(directory, capsys):
  forget(directory)
  start = time.monotonic()
  with storage.leased(directory):
    assert time.monotonic() - start > _lease._EXPIRY_SECONDS
    owner = json.loads((directory / ".owner").read_bytes())
    assert owner["pid"] == os.getpid()
  assert "belongs to process 1 on host a" in capsys.readouterr().err


def test_leased_is_won_by_one_of_five_that_find_it_overdue(directory):
  forget(directory)
  ready, end = (threading.Barrier(5, timeout=10) for _ in range(2))
  outcomes = []

  def contend():
    ready.wait()
    try:
      with storage.leased(directory):
        outcomes.append("owner")
        end.wait()
    except OSError as error:
      outcomes.append(str(error))
      end.wait()

  threads = [threading.Thread(target=contend) for _ in range(5)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert outcomes.count("owner") == 1
  assert sum("is in use by process" in text for text in outcomes) == 4


def test_leased_of_a_killed_process_of_this_machine_is_free_at_once(
  directory, capsys
):
  words = [sys.executable, "-c", OWNER, str(directory)]
  with subprocess.Popen(words, stdout=subprocess.PIPE) as owner:
    try:
      assert owner.stdout.readline() == b"owned\n"
      with pytest.raises(OSError, match=f"in use by process {owner.pid} on"):
        _lease._EXPIRY_SECONDS = 60.0  # `directory` puts it back.
        storage.leased(directory).__enter__()
    finally:
      owner.send_signal(signal.SIGKILL)
  capsys.readouterr()
  with storage.leased(directory):
    assert "waiting" not in capsys.readouterr().err


def test_leased_exits_when_another_process_took_over(directory, monkeypatch):
  exited = threading.Event()
  monkeypatch.setattr(os, "_exit", lambda status: exited.set())
  with storage.leased(directory):
    forget(directory)
    assert exited.wait(5)
  # It is not ours to remove.
  assert json.loads((directory / ".owner").read_bytes())["token"] == "c"


def test_leased_takes_over_what_is_damaged(directory, capsys):
  (directory / ".owner").write_bytes(b"damaged")
  with storage.leased(directory):
    words = f"{directory} belongs to an owner unknown, as .owner there is damag"
    assert words in capsys.readouterr().err
