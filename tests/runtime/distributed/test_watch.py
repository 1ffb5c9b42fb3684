"""Tests of the watch over other processes, which are simulated."""

import os
import queue
import socket
import threading
import time

import pytest

from mixup_jax.runtime import distributed
from mixup_jax.runtime.distributed import _peer
from mixup_jax.runtime.distributed import _runtime
from mixup_jax.runtime.distributed import _watch

HERE = socket.gethostname()


class Other(_peer.Peer):
  """The other end of a connection of the watch, simulated by a test."""

  def __init__(self):
    own, theirs = socket.socketpair()
    super().__init__(theirs)
    self.watched = _peer.Peer(own)
    self.watched.host = "there"

  def wait_for(self, field):
    """Returns the next message that has a field."""
    while True:
      for message in self.receive():
        if field in message:
          return message


@pytest.fixture
def others():
  """Returns two other processes, closed at the end."""
  ends = [Other(), Other()]
  yield ends
  for end in ends:
    end.connection.close()
    end.watched.connection.close()


@pytest.fixture
def statuses(monkeypatch):
  """Collects the statuses with which a watch would exit this process."""
  left = queue.Queue()

  def leave(status):
    left.put(status)
    threading.Event().wait()  # Like the real one, it does not return.

  monkeypatch.setattr(os, "_exit", leave)
  monkeypatch.setattr(_runtime, "delay_abort", lambda: lambda: None)
  monkeypatch.setattr(_watch, "_GRACE_SECONDS", 0.1)
  monkeypatch.setattr(_watch, "_current", None)
  return left


def begin(own, others):
  """Starts to watch, and waits for the first heartbeats."""
  first = 0 if own else 1
  _watch.begin(own, {i: o.watched for i, o in enumerate(others, first)}, 9)
  for other in others:
    other.receive()


def assert_left(statuses, capfd, words):
  assert statuses.get(timeout=10) == distributed.RESTART_STATUS
  text = capfd.readouterr().err
  assert words in text and text.count("\n") == 1
  assert "the same command resumes from the latest checkpoint" in text


@pytest.mark.parametrize("own", [0, 1])
def test_watch_names_a_silent_peer(others, statuses, capfd, own):
  _watch.Watch(own, {1 - own: others[0].watched}, 0.2)
  assert_left(
    statuses,
    capfd,
    f"process {1 - own} (there) is gone, it has been silent for 0.2",
  )


def test_watch_reports_a_closed_connection_to_all(others, statuses, capfd):
  _watch.Watch(0, {i: other.watched for i, other in enumerate(others, 1)}, 9)
  others[1].connection.close()
  message = others[0].wait_for("lost")
  assert message == dict(
    lost=2, host="there", why="its connection was closed", status=42, grace=0.0
  )
  assert_left(statuses, capfd, "process 2 (there) is gone, its connection was")


@pytest.mark.parametrize(
  "words",
  [b"[" * 60_000 + b"\n", b"[1]\n", b'{"lost": 1}\n', b'{"lost": 1, "x": 2}\n'],
)
def test_watch_names_a_peer_that_sends_no_message(
  others, statuses, capfd, words
):
  _watch.Watch(0, {1: others[0].watched}, 9)
  others[0].connection.sendall(words)
  assert_left(statuses, capfd, "process 1 (there) is gone, it sent what is no")


def test_watch_prints_nothing_that_a_terminal_acts_on(others, statuses, capfd):
  _watch.Watch(1, {0: others[0].watched}, 9)
  others[0].send(lost=2, host="\x1b[2J", why="\x07", status=42)
  assert_left(statuses, capfd, r"process 2 (\x1b[2J) is gone, \x07: check")


def test_watch_forwards_an_error_of_a_peer_to_all(others, statuses, capfd):
  _watch.Watch(0, {i: other.watched for i, other in enumerate(others, 1)}, 9)
  message = dict(
    lost=2, host="far", why="it ended with KeyError", status=42, grace=0.0
  )
  others[1].send(**message)
  assert others[0].wait_for("lost") == message
  assert_left(statuses, capfd, "process 2 (far) is gone, it ended with KeyErr")


def test_watch_sends_and_reads_heartbeats(others, statuses):
  watch = _watch.Watch(1, {0: others[0].watched}, 0.5)
  heard = 0
  end = time.monotonic() + 1
  while time.monotonic() < end:
    others[0].send()
    heard += others[0].receive().count({})
  assert heard >= 5 and statuses.empty()
  others[0].send(finished=0)
  watch.finish()


@pytest.mark.parametrize("stop", [None, SystemExit(0)])
def test_peers_watched_of_process_0_waits_for_all(others, statuses, stop):
  begin(0, others)
  others[0].send(finished=1)
  start = time.monotonic()
  threading.Timer(0.2, others[1].send, kwargs={"finished": 2}).start()
  try:
    with distributed.peers_watched():
      if stop:
        raise stop
  except SystemExit as error:
    assert error is stop
  assert time.monotonic() - start >= 0.2
  for other in others:
    assert other.wait_for("finished") == {"finished": 0}
  assert statuses.empty()


def test_peers_watched_sends_an_error_and_raises_it(
  others, statuses, monkeypatch
):
  abandoned = []
  monkeypatch.setattr(_runtime, "abandon_jax", lambda: abandoned.append(1))
  begin(1, others[:1])
  with pytest.raises(ValueError, match="mine"), distributed.peers_watched():
    raise ValueError("mine\nand more")
  message = others[0].wait_for("lost")
  assert message == dict(
    lost=1,
    host=HERE,
    why="it ended with ValueError: mine",
    status=42,
    grace=0.1,
  )
  assert abandoned and statuses.empty()


@pytest.mark.parametrize(
  "own, code, status",
  [(0, 2, 2), (1, 2, 2), (1, 1, 1), (1, 42, 42), (1, 130, 42)],
)
def test_peers_watched_sends_the_status_of_an_exit_with_its_reason(
  others, statuses, monkeypatch, own, code, status
):
  monkeypatch.setattr(_runtime, "abandon_jax", lambda: None)
  begin(own, others[:1])
  with pytest.raises(SystemExit) as end, distributed.peers_watched():
    try:
      raise FileNotFoundError("no data")
    except FileNotFoundError:
      raise SystemExit(code) from None
  assert end.value.code == code
  message = others[0].wait_for("lost")
  assert message["why"] == "it ended with FileNotFoundError: no data"
  assert message["status"] == status


def test_watch_exits_with_the_status_of_bad_input_elsewhere(
  others, statuses, capfd
):
  _watch.Watch(1, {0: others[0].watched}, 9)
  others[0].send(lost=2, host="far", why="it ended with X: no data.", status=2)
  assert statuses.get(timeout=10) == 2
  assert capfd.readouterr().err == (
    "error: process 2 (far) is gone, it ended with X: no data: check its "
    "log. All others have stopped.\n"
  )


def test_exchange_of_process_0_gathers_and_forwards_reports(others, statuses):
  begin(0, others)
  for index in (2, 1):
    others[index - 1].send(report={"data": index, "host": f"host{index}"})
  everyone = distributed.exchange({"data": 0})
  assert everyone == [
    {"data": 0, "host": HERE},
    {"data": 1, "host": "host1"},
    {"data": 2, "host": "host2"},
  ]
  for other in others:
    assert other.wait_for("report")["report"] == everyone
  _watch._current.fail(KeyError())


def test_exchange_of_another_process_sends_and_receives_reports(
  others, statuses
):
  begin(1, others[:1])
  others[0].send(report=[{"data": 0}, {"data": 1}])
  assert distributed.exchange({"data": 1}) == [{"data": 0}, {"data": 1}]
  message = others[0].wait_for("report")
  assert message["report"] == {"data": 1, "host": HERE}
  _watch._current.fail(KeyError())


def test_exchange_names_processes_that_are_not_ready(others, statuses):
  begin(0, others)
  others[0].send(report={})
  with pytest.raises(
    TimeoutError, match=r"after 0.3 s .* ready: 2 \(there\). "
  ):
    distributed.exchange({}, timeout=0.3)
  _watch._current.fail(KeyError())


def test_exchange_of_one_process_returns_its_report(statuses):
  assert distributed.exchange({"data": 0}) == [{"data": 0, "host": HERE}]


def test_peers_watched_raises_an_error_that_all_processes_have(
  others, statuses, monkeypatch
):
  monkeypatch.setattr(_runtime, "abandon_jax", lambda: None)
  begin(1, others[:1])
  others[0].send(lost=0, host="there", why="it ended with X", grace=1.0)
  others[0].wait_for("lost")
  time.sleep(0.2)  # The watch now waits for an error of this process.
  with pytest.raises(FloatingPointError), distributed.peers_watched():
    raise FloatingPointError("of all")
  with pytest.raises(queue.Empty):
    statuses.get(timeout=1)


def test_peers_watched_raises_an_error_of_jax_without_a_lost_peer(
  others, statuses, monkeypatch
):
  monkeypatch.setattr(_runtime, "abandon_jax", lambda: None)
  begin(1, others[:1])
  with pytest.raises(RuntimeError), distributed.peers_watched():
    raise RuntimeError("UNAVAILABLE: out of memory")
  assert "UNAVAILABLE" in others[0].wait_for("lost")["why"]
  assert statuses.empty()


def test_peers_watched_does_nothing_in_one_process():
  with pytest.raises(KeyError, match="mine"), distributed.peers_watched():
    raise KeyError("mine")
