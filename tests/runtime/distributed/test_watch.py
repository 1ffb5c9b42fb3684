"""Proves what a watch says and does, with the others played by the test."""

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
  """The other end of a connection of the watch, played by a test."""

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
  """Returns two of them, closed at the end."""
  ends = [Other(), Other()]
  yield ends
  for end in ends:
    end.connection.close()
    end.watched.connection.close()


@pytest.fixture
def statuses(monkeypatch):
  """Collects the statuses with which a watch would end this process."""
  left = queue.Queue()

  def leave(status):
    left.put(status)
    threading.Event().wait()  # As the true one, it does not return.

  monkeypatch.setattr(os, "_exit", leave)
  monkeypatch.setattr(_runtime, "delay_abort", lambda: lambda: None)
  monkeypatch.setattr(_watch, "_GRACE_SECONDS", 0.1)
  monkeypatch.setattr(_watch, "_current", None)
  return left


def begin(own, others):
  """Begins to watch, and waits for the first heartbeats."""
  first = 0 if own else 1
  _watch.begin(own, {i: o.watched for i, o in enumerate(others, first)}, 9)
  for other in others:
    other.receive()


def assert_left(statuses, capfd, words):
  assert statuses.get(timeout=10) == distributed.RESTART_STATUS
  text = capfd.readouterr().err
  assert words in text and text.count("\n") == 1
  assert "the same command continues from the last checkpoint" in text


@pytest.mark.parametrize("own", [0, 1])
def test_a_silent_peer_is_named(others, statuses, capfd, own):
  _watch.Watch(own, {1 - own: others[0].watched}, 0.2)
  assert_left(
    statuses,
    capfd,
    f"process {1 - own} (there) is gone, it has been silent for 0.2",
  )


def test_a_closed_connection_is_named_to_all(others, statuses, capfd):
  _watch.Watch(0, {i: other.watched for i, other in enumerate(others, 1)}, 9)
  others[1].connection.close()
  told = others[0].wait_for("lost")
  assert told == dict(
    lost=2, host="there", why="its connection was closed", status=42, grace=0.0
  )
  assert_left(statuses, capfd, "process 2 (there) is gone, its connection was")


def test_what_one_tells_of_itself_reaches_all(others, statuses, capfd):
  _watch.Watch(0, {i: other.watched for i, other in enumerate(others, 1)}, 9)
  message = dict(
    lost=2, host="far", why="it ended with KeyError", status=42, grace=0.0
  )
  others[1].send(**message)
  assert others[0].wait_for("lost") == message
  assert_left(statuses, capfd, "process 2 (far) is gone, it ended with KeyErr")


def test_heartbeats_go_both_ways(others, statuses):
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
def test_the_first_waits_for_all(others, statuses, stop):
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


def test_an_error_passes_and_is_told(others, statuses, monkeypatch):
  abandoned = []
  monkeypatch.setattr(_runtime, "abandon_jax", lambda: abandoned.append(1))
  begin(1, others[:1])
  with pytest.raises(ValueError, match="mine"), distributed.peers_watched():
    raise ValueError("mine\nand more")
  told = others[0].wait_for("lost")
  assert told == dict(
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
def test_what_others_leave_with_is_told_with_the_reason(
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
  told = others[0].wait_for("lost")
  assert told["why"] == "it ended with FileNotFoundError: no data"
  assert told["status"] == status


def test_bad_input_elsewhere_is_bad_input_here(others, statuses, capfd):
  _watch.Watch(1, {0: others[0].watched}, 9)
  others[0].send(lost=2, host="far", why="it ended with X: no data.", status=2)
  assert statuses.get(timeout=10) == 2
  assert capfd.readouterr().err == (
    "error: process 2 (far) is gone, it ended with X: no data: look at its "
    "log. All others have stopped.\n"
  )


def test_the_first_gathers_what_all_say_and_passes_it_on(others, statuses):
  begin(0, others)
  for index in (2, 1):
    others[index - 1].send(said={"data": index, "host": f"host{index}"})
  everyone = distributed.exchange({"data": 0})
  assert everyone == [
    {"data": 0, "host": HERE},
    {"data": 1, "host": "host1"},
    {"data": 2, "host": "host2"},
  ]
  for other in others:
    assert other.wait_for("said")["said"] == everyone
  _watch._current.fail(KeyError())


def test_the_others_say_theirs_and_hear_all(others, statuses):
  begin(1, others[:1])
  others[0].send(said=[{"data": 0}, {"data": 1}])
  assert distributed.exchange({"data": 1}) == [{"data": 0}, {"data": 1}]
  told = others[0].wait_for("said")
  assert told["said"] == {"data": 1, "host": HERE}
  _watch._current.fail(KeyError())


def test_those_who_are_never_ready_are_named(others, statuses):
  begin(0, others)
  others[0].send(said={})
  with pytest.raises(
    TimeoutError, match=r"after 0.3 s .* ready: 2 \(there\). "
  ):
    distributed.exchange({}, timeout=0.3)
  _watch._current.fail(KeyError())


def test_one_process_hears_itself(statuses):
  assert distributed.exchange({"data": 0}) == [{"data": 0, "host": HERE}]


def test_an_error_of_all_is_the_error_of_each(others, statuses, monkeypatch):
  monkeypatch.setattr(_runtime, "abandon_jax", lambda: None)
  begin(1, others[:1])
  others[0].send(lost=0, host="there", why="it ended with X", grace=1.0)
  others[0].wait_for("lost")
  time.sleep(0.2)  # Now the watch gives this process its time.
  with pytest.raises(FloatingPointError), distributed.peers_watched():
    raise FloatingPointError("of all")
  with pytest.raises(queue.Empty):
    statuses.get(timeout=1)


def test_an_error_of_jax_that_nobody_explains_passes(
  others, statuses, monkeypatch
):
  monkeypatch.setattr(_runtime, "abandon_jax", lambda: None)
  begin(1, others[:1])
  with pytest.raises(RuntimeError), distributed.peers_watched():
    raise RuntimeError("UNAVAILABLE: out of memory")
  assert "UNAVAILABLE" in others[0].wait_for("lost")["why"]
  assert statuses.empty()


def test_one_process_needs_no_watch():
  with pytest.raises(KeyError, match="mine"), distributed.peers_watched():
    raise KeyError("mine")
