"""A connection between two processes that carries messages."""

import contextlib
import json
import socket
import threading
import time
from typing import Any

READ_SECONDS = 5.0


class Peer:
  """The process at the other end. Messages are JSON objects, one per line.

  Attributes:
    connection: The socket.
    host: The name of its machine, once it is known.
    same: What must be the same in all processes, as the peer sent it.
    heard: The time of its last message, by `time.monotonic`.
  """

  def __init__(self, connection: socket.socket):
    connection.settimeout(READ_SECONDS)
    self.connection = connection
    self.host = "unknown host"
    self.same: dict[str, Any] = {}
    self.heard = time.monotonic()
    self._unread = b""
    self._sending = threading.Lock()  # Long messages are sent in parts.

  def send(self, **message: Any) -> None:
    """Sends a message; without fields it is a heartbeat."""
    with self._sending, contextlib.suppress(OSError):  # `receive` raises it.
      self.connection.sendall(json.dumps(message).encode() + b"\n")

  def receive(self) -> list[dict[str, Any]]:
    """Waits for messages; raises OSError or ValueError if none can arrive."""
    data = self.connection.recv(2**16)
    if not data:
      raise ConnectionError("the connection was closed")
    self.heard = time.monotonic()
    *lines, self._unread = (self._unread + data).split(b"\n")
    return [json.loads(line) for line in lines]

  def receive_one(self) -> dict[str, Any]:
    """Waits for a message of a process that sends no more than one."""
    while not (messages := self.receive()):
      pass  # A long message arrives in parts.
    return messages[0]

  def is_open(self) -> bool:
    """Returns whether the connection is open; reads no message."""
    self.connection.setblocking(False)
    try:
      return bool(self.connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
      return True
    except OSError:
      return False
    finally:
      self.connection.settimeout(READ_SECONDS)
