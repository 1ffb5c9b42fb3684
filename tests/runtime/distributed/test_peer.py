"""Proves that messages arrive whole, and that a closed end is noticed."""

import socket

import pytest

from mixup_jax.runtime.distributed import _peer


@pytest.fixture
def ends():
  """Returns a peer, and the socket of the process behind it."""
  here, there = socket.socketpair()
  with here, there:
    yield _peer.Peer(here), there


def test_messages_arrive_whole_however_they_are_cut(ends):
  peer, there = ends
  there.sendall(b'{"finished": 1}\n{}\n{"lo')
  assert peer.receive() == [{"finished": 1}, {}]
  there.sendall(b'st": ')
  assert peer.receive() == []
  there.sendall(b"2}\n")
  assert peer.receive() == [{"lost": 2}]


def test_what_is_sent_is_what_is_received(ends):
  peer, there = ends
  peer.send(lost=2, host="there", why="it ended with ValueError: é\nb")
  peer.send()
  assert _peer.Peer(there).receive() == [
    {"lost": 2, "host": "there", "why": "it ended with ValueError: é\nb"},
    {},
  ]


def test_only_what_is_heard_makes_a_peer_young(ends):
  peer, there = ends
  peer.heard = 0.0
  peer.send()
  assert peer.heard == 0.0
  there.sendall(b"{}\n")
  peer.receive()
  assert peer.heard > 0.0


def test_looking_whether_it_is_open_takes_nothing_away(ends):
  peer, there = ends
  assert peer.is_open()
  there.sendall(b"{}\n")
  assert peer.is_open()
  assert peer.receive() == [{}]


def test_a_closed_end_is_noticed_by_who_reads(ends):
  peer, there = ends
  there.close()
  assert not peer.is_open()
  peer.send(finished=0)
  with pytest.raises(ConnectionError):
    peer.receive()


def test_what_is_no_message_is_an_error(ends):
  peer, there = ends
  there.sendall(b"GET / HTTP/1.1\r\n\r\n")
  with pytest.raises(ValueError):
    peer.receive()
