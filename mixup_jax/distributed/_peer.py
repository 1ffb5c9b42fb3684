"""A connection between two processes, which carries messages."""

import contextlib
import json
import socket
import time
from typing import Any

READ_SECONDS = 5.0


class Peer:
  """The process at the other end; it sends and gets one JSON object a line.

  Attributes:
    connection: The socket.
    host: The name of its machine, once it is known.
    heard: When it last said something, by `time.monotonic`.
  """

  def __init__(self, connection: socket.socket):
    connection.settimeout(READ_SECONDS)
    self.connection = connection
    self.host = "unknown host"
    self.heard = time.monotonic()
    self._unread = b""

  def send(self, **message: Any) -> None:
    """Sends a message; without fields it is a heartbeat."""
    with contextlib.suppress(OSError):  # Whoever reads notices.
      self.connection.sendall(json.dumps(message).encode() + b"\n")

  def receive(self) -> list[dict[str, Any]]:
    """Waits for messages; raises OSError or ValueError if none can come."""
    data = self.connection.recv(2**16)
    if not data:
      raise ConnectionError("the connection was closed")
    self.heard = time.monotonic()
    *lines, self._unread = (self._unread + data).split(b"\n")
    return [json.loads(line) for line in lines]

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
