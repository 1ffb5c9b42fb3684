"""A connection between two processes, which carries messages."""

import contextlib
import json
import socket
import threading
import time
from typing import Any

READ_SECONDS = 5.0


class Peer:
  """The process at the other end; it sends and gets one JSON object a line.

  Attributes:
    connection: The socket.
    host: The name of its machine, once it is known.
    same: What must be the same in all processes, as it came with it.
    heard: When it last said something, by `time.monotonic`.
  """

  def __init__(self, connection: socket.socket):
    connection.settimeout(READ_SECONDS)
    self.connection = connection
    self.host = "unknown host"
    self.same: dict[str, Any] = {}
    self.heard = time.monotonic()
    self._unread = b""
    self._sending = threading.Lock()  # Long messages go out in parts.

  def send(self, **message: Any) -> None:
    """Sends a message; without fields it is a heartbeat."""
    with self._sending, contextlib.suppress(OSError):  # Whoever reads notices.
      self.connection.sendall(json.dumps(message).encode() + b"\n")

  def receive(self) -> list[dict[str, Any]]:
    """Waits for messages; raises OSError or ValueError if none can come."""
    data = self.connection.recv(2**16)
    if not data:
      raise ConnectionError("the connection was closed")
    self.heard = time.monotonic()
    *lines, self._unread = (self._unread + data).split(b"\n")
    return [json.loads(line) for line in lines]

  def receive_one(self) -> dict[str, Any]:
    """Waits for one message, from a process that sends no more than that."""
    while not (messages := self.receive()):
      pass  # A long one comes in parts.
    return messages[0]

  def is_open(self) -> bool:
    """Tells if the other end is still there."""
    self.connection.setblocking(False)
    try:
      return bool(self.connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
      return True
    except OSError:
      return False
    finally:
      self.connection.settimeout(READ_SECONDS)
