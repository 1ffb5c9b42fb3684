"""Tests of signals that end the process at once."""

import os
import signal
import threading

import pytest

from mixup_jax.runtime import signals

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def left(monkeypatch):
  """Collects exit statuses instead of ending the process."""
  statuses = []
  monkeypatch.setattr(os, "_exit", statuses.append)
  return statuses


@pytest.mark.parametrize("number", SIGNALS)
def test_leaving_prints_a_line_and_ends_the_process(left, capfd, number):
  before = signal.getsignal(number)
  with signals.leaving(number, status=130, text="interrupted; resume so"):
    signal.raise_signal(number)
  assert left == [130] and signal.getsignal(number) == before
  assert capfd.readouterr().err == "\ninterrupted; resume so\n"


def test_leaving_ends_the_process_from_a_destructor(left):
  """Where Python would drop an exception, and go on."""

  class Destroyed:
    def __del__(self):
      signal.raise_signal(signal.SIGINT)

  with signals.leaving(signal.SIGINT, status=130, text=""):
    Destroyed()
  assert left == [130]


def test_leaving_of_several_processes_gives_a_reason(left, monkeypatch):
  number = signal.SIGINT
  with signals.leaving(number, status=130, text=""):
    monkeypatch.setattr(signals.jax.distributed, "is_initialized", lambda: True)
    with pytest.raises(KeyboardInterrupt):
      signal.raise_signal(number)
  assert not left and signal.getsignal(number) is signal.default_int_handler


def test_leaving_keeps_a_handler_that_jax_has_installed(monkeypatch):
  """`jax.distributed.initialize` in the body has replaced ours of SIGTERM."""
  before = signal.getsignal(signal.SIGTERM)
  try:
    with signals.leaving(signal.SIGTERM, status=42, text=""):
      ours = signal.getsignal(signal.SIGTERM)
      monkeypatch.setattr(
        signals.jax.distributed, "is_initialized", lambda: True
      )
    assert signal.getsignal(signal.SIGTERM) is ours is not before
  finally:
    signal.signal(signal.SIGTERM, before)


def test_leaving_installs_no_handler_in_another_thread():
  found = []

  def look():
    with signals.leaving(signal.SIGINT, status=130, text=""):
      found.append(signal.getsignal(signal.SIGINT))

  thread = threading.Thread(target=look)
  thread.start()
  thread.join()
  assert found == [signal.default_int_handler]
