"""Tests of the uses of private parts of jax."""

import gc
import signal
import subprocess
import sys
import weakref

from jax._src import distributed as jax_distributed
import pytest

from mixup_jax.runtime.distributed import _runtime


def caused(error, cause):
  error.__cause__ = cause
  return error


@pytest.mark.parametrize(
  "error, expected",
  [
    (RuntimeError("UNAVAILABLE: Connection reset"), True),
    (RuntimeError("DEADLINE_EXCEEDED: Barrier timed out"), True),
    (caused(ValueError("bad"), RuntimeError("UNKNOWN: Gloo failed")), True),
    (ValueError("UNKNOWN option"), False),
    (caused(ValueError("bad"), KeyError("worse")), False),
  ],
)
def test_is_of_lost_peer_recognizes_a_status(error, expected):
  assert _runtime.is_of_lost_peer(error) == expected


@pytest.mark.parametrize("undo, status", [(False, 3), (True, -signal.SIGABRT)])
def test_delay_abort_gives_another_thread_time(undo, status):
  code = f"""
import ctypes, os, resource, threading
from mixup_jax.runtime.distributed import _runtime
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
undo = _runtime.delay_abort()
{undo} and undo()
threading.Timer(0.2, os._exit, [3]).start()
ctypes.CDLL(None).abort()
"""
  assert subprocess.run([sys.executable, "-c", code]).returncode == status


def test_abandon_jax_clears_its_state_and_never_frees_it(monkeypatch):

  class Held:
    pass

  names = ("preemption_sync_manager", "client", "service")
  kept = []
  for name in names:
    held = Held()
    kept.append(weakref.ref(held))
    monkeypatch.setattr(jax_distributed.global_state, name, held)
  del held
  _runtime.abandon_jax()
  assert all(
    getattr(jax_distributed.global_state, name) is None for name in names
  )
  monkeypatch.undo()
  gc.collect()
  assert all(reference() for reference in kept)


def test_uses_private_parts_is_false_if_the_flag_is_0(monkeypatch):
  monkeypatch.setenv(_runtime.FLAG, "0")
  held = object()
  monkeypatch.setattr(jax_distributed.global_state, "client", held)
  _runtime.abandon_jax()
  assert jax_distributed.global_state.client is held
  monkeypatch.setattr(jax_distributed.global_state, "client", None)
  assert _runtime.detect_cluster(1) == (None, None, None)
  # Without the handler an abort is one at once.
  code = """
import ctypes, os, resource, threading
from mixup_jax.runtime.distributed import _runtime
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
_runtime.delay_abort()
threading.Timer(0.2, os._exit, [3]).start()
ctypes.CDLL(None).abort()
"""
  ended = subprocess.run([sys.executable, "-c", code])
  assert ended.returncode == -signal.SIGABRT
