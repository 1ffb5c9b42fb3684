"""The port on which process 0 waits for greetings.

Anybody who reaches the port may connect, send anything, or nothing. So it hears
all connections at once, each has one deadline for its whole greeting, and a
connection that brings none is closed alone.
"""

import selectors
import socket
import time

from mixup_jax.runtime.distributed import _greeting
from mixup_jax.runtime.distributed import _peer

_GREETING_SECONDS = 5.0
_MOST_WAITING = 256  # Connections without a greeting; the oldest is closed.


class Listener:
  """Collects greetings; a context manager.

  Attributes:
    refused: Why a connection was closed, and from where; "" if none was. It is
      the last one whose token differs, or else the last one.
  """

  def __init__(self, port: int, secret: bytes):
    """Listens on a port of this host.

    Args:
      port: The port; 0 takes any.
      secret: The secret that processes of this run share.

    Raises:
      OSError: If the port is in use.
    """
    self.refused = ""
    self._secret = secret
    self._server = listen(port)
    self._server.setblocking(False)
    self._waiting: dict[_peer.Peer, float] = {}  # Since when, oldest first.
    self._selector = selectors.DefaultSelector()
    self._selector.register(self._server, selectors.EVENT_READ, None)

  def __enter__(self) -> "Listener":
    return self

  def __exit__(self, *_: object) -> None:
    for peer in list(self._waiting):
      self._close(peer)
    self._selector.close()
    self._server.close()

  def hear(self, seconds: float) -> list[tuple[_peer.Peer, _greeting.Greeting]]:
    """Waits for greetings, and returns them with their connections.

    Args:
      seconds: How long to wait for anything to happen.

    Returns:
      The complete greetings, possibly none.
    """
    arrived = []
    for key, _ in self._selector.select(seconds):
      if key.data is None:
        self._accept()
      elif key.data in self._waiting:
        greeting = self._read(key.data)
        if greeting is not None:
          arrived.append((key.data, greeting))
    limit = time.monotonic() - _GREETING_SECONDS
    for peer in [
      peer for peer, since in self._waiting.items() if since < limit
    ]:
      self._refuse(peer, "it sent no complete greeting")
    return arrived

  def _accept(self) -> None:
    """Accepts a connection."""
    try:
      peer = _peer.Peer(self._server.accept()[0])
    except BlockingIOError:
      return
    except OSError:  # No descriptor is free.
      peer = None
    if self._waiting and (peer is None or len(self._waiting) >= _MOST_WAITING):
      self._refuse(next(iter(self._waiting)), "too many others connected")
    if peer is not None:
      peer.connection.setblocking(False)
      self._waiting[peer] = time.monotonic()
      self._selector.register(peer.connection, selectors.EVENT_READ, peer)

  def _read(self, peer: _peer.Peer) -> _greeting.Greeting | None:
    """Returns the greeting of a connection, if it is complete."""
    try:
      messages = peer.receive()
      if not messages:
        return None
      if len(messages) > 1:
        raise ValueError("it sent more than a greeting")
      greeting = _greeting.verify(messages[0], self._secret)
    except BlockingIOError:
      return None
    except PermissionError as error:
      self._refuse(peer, str(error), answer=True)
      return None
    except (OSError, ValueError) as error:
      self._refuse(peer, str(error))
      return None
    self._selector.unregister(peer.connection)
    del self._waiting[peer]
    peer.connection.settimeout(_peer.READ_SECONDS)
    peer.host, peer.same = greeting.host, dict(greeting.same)
    return greeting

  def _refuse(self, peer: _peer.Peer, why: str, answer: bool = False) -> None:
    """Closes a connection; the process behind it may read why."""
    try:
      address = peer.connection.getpeername()[0]
    except OSError:
      address = "somewhere"
    if answer or "token" not in self.refused:
      self.refused = f"a connection from {address} was refused: {why}"
    if answer:
      peer.send(
        error=ValueError.__name__,
        text=f"process 0 on {socket.gethostname()} refused this process: "
        f"{why}. Give all the same coordinator, and in the environment the "
        f"same {_greeting.TOKEN}, or none.",
      )
    self._close(peer)

  def _close(self, peer: _peer.Peer) -> None:
    self._selector.unregister(peer.connection)
    del self._waiting[peer]
    peer.connection.close()


def listen(port: int) -> socket.socket:
  """Listens on a port of this host; raises OSError if it is in use."""
  dual = socket.has_dualstack_ipv6()
  try:
    return socket.create_server(
      ("", port),
      family=socket.AF_INET6 if dual else socket.AF_INET,
      backlog=1024,
      dualstack_ipv6=dual,
    )
  except OSError as error:
    raise OSError(
      f"process 0 cannot listen on port {port} "
      f"({error.strerror}): choose another port for the coordinator."
    ) from error
