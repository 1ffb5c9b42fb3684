"""A connection between two processes that carries messages."""

import contextlib
import json
import socket
import threading
import time
from typing import Any

READ_SECONDS = 5.0
MOST_BYTES = 2**20  # Of a message; a greeting has some 30 KB.


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
    """Waits for messages, whose strings are printable.

    Returns:
      The messages that are complete, possibly none.

    Raises:
      OSError: If none can arrive.
      ValueError: If what arrives is not a message, or is too long for one.
    """
    data = self.connection.recv(2**16)
    if not data:
      raise ConnectionError("the connection was closed")
    self.heard = time.monotonic()
    *lines, self._unread = (self._unread + data).split(b"\n")
    if len(self._unread) > MOST_BYTES:
      raise ValueError(f"a message has more than {MOST_BYTES} bytes")
    return [parse(line) for line in lines]

  def receive_one(self, deadline: float) -> dict[str, Any]:
    """Waits for a message of a process that sends no more than one.

    Args:
      deadline: When to stop waiting, by `time.monotonic`.

    Returns:
      The message.

    Raises:
      OSError: As `receive`; a TimeoutError at the deadline.
      ValueError: As `receive`.
    """
    messages: list[dict[str, Any]] = []
    while not messages:  # A long message arrives in parts.
      self.connection.settimeout(max(0.001, deadline - time.monotonic()))
      messages = self.receive()
      if not messages and time.monotonic() > deadline:
        raise TimeoutError("its message is incomplete")
    self.connection.settimeout(READ_SECONDS)
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


def parse(line: str | bytes) -> dict[str, Any]:
  """Parses a message.

  Args:
    line: A JSON object.

  Returns:
    The object, with printable strings.

  Raises:
    ValueError: If the line is something else.
  """
  try:
    message = printable(json.loads(line))
  except RecursionError as error:
    raise ValueError("a message is nested too deeply") from error
  if not isinstance(message, dict):
    raise ValueError("a message is not a JSON object")
  return message


def printable(value: Any) -> Any:
  """Escapes what a terminal would act on, in all strings of a JSON value.

  Args:
    value: The value.

  Returns:
    The value; new lines stay, and a second call changes nothing.
  """
  if isinstance(value, str):
    return "".join(
      c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in value
    )
  if isinstance(value, dict):
    return {printable(k): printable(v) for k, v in value.items()}
  if isinstance(value, (list, tuple)):
    return [printable(x) for x in value]
  return value
