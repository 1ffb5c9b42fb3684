"""Tests of the messages between two processes."""

import socket
import time

import pytest

from mixup_jax.runtime.distributed import _peer


@pytest.fixture
def ends():
  """Returns a peer, and the socket of the process behind it."""
  here, there = socket.socketpair()
  with here, there:
    yield _peer.Peer(here), there


def test_receive_joins_messages_that_arrive_in_parts(ends):
  peer, there = ends
  there.sendall(b'{"finished": 1}\n{}\n{"lo')
  assert peer.receive() == [{"finished": 1}, {}]
  there.sendall(b'st": ')
  assert peer.receive() == []
  there.sendall(b"2}\n")
  assert peer.receive() == [{"lost": 2}]


def test_receive_returns_what_send_sent(ends):
  peer, there = ends
  peer.send(lost=2, host="there", why="it ended with ValueError: é\nb")
  peer.send()
  assert _peer.Peer(there).receive() == [
    {"lost": 2, "host": "there", "why": "it ended with ValueError: é\nb"},
    {},
  ]


def test_heard_is_set_by_receive_and_not_by_send(ends):
  peer, there = ends
  peer.heard = 0.0
  peer.send()
  assert peer.heard == 0.0
  there.sendall(b"{}\n")
  peer.receive()
  assert peer.heard > 0.0


def test_is_open_reads_no_message(ends):
  peer, there = ends
  assert peer.is_open()
  there.sendall(b"{}\n")
  assert peer.is_open()
  assert peer.receive() == [{}]


def test_receive_raises_if_the_connection_is_closed(ends):
  peer, there = ends
  there.close()
  assert not peer.is_open()
  peer.send(finished=0)
  with pytest.raises(ConnectionError):
    peer.receive()


def test_receive_raises_if_it_is_not_a_message(ends):
  peer, there = ends
  there.sendall(b"GET / HTTP/1.1\r\n\r\n")
  with pytest.raises(ValueError):
    peer.receive()


@pytest.mark.parametrize(
  "words", [b"[]\n", b"1\n", b"[" * 60_000 + b"\n", b"a" * 70_000]
)
def test_receive_raises_if_it_is_too_long_too_deep_or_no_object(
  ends, monkeypatch, words
):
  peer, there = ends
  monkeypatch.setattr(_peer, "MOST_BYTES", 60_000)
  there.sendall(words)
  with pytest.raises(ValueError, match="a message"):
    for _ in range(5):
      peer.receive()


def test_receive_one_ends_at_its_deadline(ends):
  peer, there = ends
  there.sendall(b'{"port"')
  with pytest.raises(TimeoutError):
    peer.receive_one(time.monotonic() + 0.05)


def test_printable_escapes_what_is_not():
  odd = {"\x1b[2J": ["é\nb", ("\u202e\ud800",), 1.5, None]}
  good = _peer.printable(odd)
  assert good == {r"\x1b[2J": ["é\nb", [r"\u202e\ud800"], 1.5, None]}
  assert _peer.printable(good) == good
