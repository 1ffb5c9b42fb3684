"""Tests of the port on which process 0 waits; test_meeting.py has more."""

import json
import socket

import pytest

from mixup_jax.runtime.distributed import _greeting
from mixup_jax.runtime.distributed import _listener


@pytest.fixture
def listener():
  with _listener.Listener(0, b"secret") as listener:
    yield listener


def send(listener, words):
  """Connects and sends; returns the connection once it was heard."""
  port = listener._server.getsockname()[1]
  connection = socket.create_connection(("localhost", port))
  connection.sendall(words)
  assert listener.hear(5) == []  # It accepts the connection.
  return connection


def test_hear_joins_a_greeting_that_arrives_in_parts(listener):
  message = _greeting.sign(_greeting.Greeting(1, 2, "h", {"a": 1}), b"secret")
  words = json.dumps(message).encode() + b"\n"
  with send(listener, words[:9]) as connection:
    assert listener.hear(5) == []
    connection.sendall(words[9:])
    ((peer, greeting),) = listener.hear(5)
    assert greeting == (1, 2, "h", {"a": 1})
    assert (peer.host, peer.same) == ("h", {"a": 1})
    peer.connection.close()


def test_refused_keeps_the_connection_whose_token_differs(listener):
  message = b'{"greeting": "", "proof": ""}\n'
  for words in (message, b"\n"):
    with send(listener, words):
      listener.hear(5)
  assert listener.refused.startswith("a connection from ")
  assert listener.refused.endswith("was refused: its token differs")


def test_hear_closes_the_oldest_of_too_many_connections(listener, monkeypatch):
  monkeypatch.setattr(_listener, "_MOST_WAITING", 3)
  connections = [send(listener, b"") for _ in range(9)]
  assert len(listener._waiting) == 3
  assert [connection.recv(1) for connection in connections[:6]] == 6 * [b""]
  for connection in connections:
    connection.close()
