"""Watches the other processes, and ends this one when one of them is lost."""

import contextlib
import os
import queue
import selectors
import socket
import sys
import threading
import time
from typing import Any, Iterator

from mixup_jax.runtime.distributed import _peer
from mixup_jax.runtime.distributed import _runtime

# Supervisors of JobSets restart on 42 and on 127 to 255. Those above are what
# shells and signals leave; 42 says that the fault was elsewhere.
RESTART_STATUS = 42

# A run that could not go on, and bad input: to start again would not help. All
# others leave with it too.
_FINAL_STATUSES = (1, 2)

_GRACE_SECONDS = 3.0
_current: "Watch | None" = None


def begin(
  process_id: int, peers: dict[int, _peer.Peer], timeout: float
) -> None:
  """Begins to watch; `peers_watched` ends it."""
  global _current
  _current = Watch(process_id, peers, timeout)


def exchange(
  said: dict[str, Any], timeout: float = 1800.0
) -> list[dict[str, Any]]:
  """Gives every process what each of them says.

  All must call it within `peers_watched`; it waits for the last one.

  Args:
    said: Values of JSON.
    timeout: How many seconds process 0 waits for the others.

  Returns:
    What the processes said, from process 0 on, each with its "host".

  Raises:
    TimeoutError: If one did not come. It names those.
  """
  said = {**said, "host": socket.gethostname()}
  return [said] if _current is None else _current.exchange(said, timeout)


@contextlib.contextmanager
def peers_watched() -> Iterator[None]:
  """Ends this process when another is lost, and otherwise all in order.

  Put it around everything that follows `initialize`; without `initialize` it
  does nothing. When another process dies, hangs or ends with an error, this one
  prints which, and leaves with `RESTART_STATUS` without another word: what
  waits for the lost one would wait for ever. If that one meant to leave with 1
  or 2, so does this one, as to start again would not help. An error of this
  process passes through, and is told to the others. At the end it waits for the
  others.
  """
  if _current is None:
    yield
    return
  try:
    yield
  except BaseException as error:
    if isinstance(error, SystemExit) and not error.code:
      _current.finish()
    else:
      _current.fail(error)
    raise
  _current.finish()


class Watch:
  """Watches the connections from a thread, and ends the process for them."""

  def __init__(
    self, process_id: int, peers: dict[int, _peer.Peer], timeout: float
  ):
    self._process_id = process_id
    self._peers = peers
    self._timeout = timeout
    self._finished: set[int] = set()
    self._all_finished = threading.Event()
    self._one_lost = threading.Event()
    self._said: queue.Queue[tuple[int, Any]] = queue.Queue()
    self._over = threading.Event()
    self._restore_abort = _runtime.delay_abort()
    threading.Thread(target=self._run, daemon=True).start()

  def finish(self) -> None:
    """Waits until all have finished; if one is lost instead, never returns."""
    if self._process_id:
      self._tell(finished=self._process_id)
    if self._peers:
      self._all_finished.wait()
    self._over.set()
    if not self._process_id:
      self._tell(finished=0)
    self._restore_abort()

  def exchange(
    self, said: dict[str, Any], timeout: float
  ) -> list[dict[str, Any]]:
    """Does what the function says."""
    if self._process_id:
      self._tell(said=said)
      return self._said.get()[1]
    everyone = {0: said}
    deadline = time.monotonic() + timeout
    try:
      while len(everyone) <= len(self._peers):
        wait = max(0.0, deadline - time.monotonic())
        everyone.update([self._said.get(timeout=wait)])
    except queue.Empty:
      late = ", ".join(
        f"{index} ({peer.host})"
        for index, peer in sorted(self._peers.items())
        if index not in everyone
      )
      raise TimeoutError(
        f"after {timeout:g} s these processes are not ready: {late}. Look at "
        "their logs, and whether their disks answer."
      ) from None
    said_by_all = [everyone[index] for index in sorted(everyone)]
    self._tell(said=said_by_all)
    return said_by_all

  def fail(self, error: BaseException) -> None:
    """Tells the others of an error here, unless it comes of a lost peer."""
    if _runtime.is_of_lost_peer(error) and self._one_lost.wait(_GRACE_SECONDS):
      threading.Event().wait()  # The thread says which, and leaves.
    self._over.set()
    status: Any = RESTART_STATUS
    if isinstance(error, SystemExit):
      if error.code in _FINAL_STATUSES:
        status = error.code
      error = error.__context__ or error  # The reason, printed here already.
    what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    self._tell(
      lost=self._process_id,
      host=socket.gethostname(),
      why=f"it ended with {what}",
      status=status,
      grace=_GRACE_SECONDS,
    )  # They may be about to fail of the same.
    _runtime.abandon_jax()
    if not self._process_id and self._peers:
      time.sleep(_GRACE_SECONDS + 0.5)  # It goes last, as in _lose.

  def _run(self) -> None:
    """Sends heartbeats and listens to those of the others."""
    period, next_beat = min(1.0, self._timeout / 10), 0.0
    with selectors.DefaultSelector() as selector:
      for index, peer in self._peers.items():
        peer.heard = time.monotonic()
        selector.register(peer.connection, selectors.EVENT_READ, index)
      while not self._over.is_set():
        if time.monotonic() >= next_beat:
          self._tell()
          next_beat = time.monotonic() + period
        for key, _ in selector.select(max(0, next_beat - time.monotonic())):
          self._read(key.data)
        for index, peer in self._peers.items():
          if time.monotonic() - peer.heard > self._timeout:
            self._lose(
              index, peer.host, f"it has been silent for {self._timeout:g} s"
            )

  def _read(self, index: int) -> None:
    """Takes what a peer says."""
    peer = self._peers[index]
    try:
      messages = peer.receive()
    except (OSError, ValueError):
      self._lose(index, peer.host, "its connection was closed")
      return
    for message in messages:
      if "finished" in message:
        self._finished.add(index)
        if len(self._finished) == len(self._peers):
          self._all_finished.set()
      elif "said" in message:
        self._said.put((index, message["said"]))
      elif "lost" in message:
        self._lose(message.pop("lost"), **message)

  def _lose(
    self,
    index: int,
    host: str,
    why: str,
    status: int = RESTART_STATUS,
    grace: float = 0.0,
  ) -> None:
    """Leaves for a lost peer, unless this process fails by itself."""
    self._one_lost.set()
    self._tell(lost=index, host=host, why=why, status=status, grace=grace)
    # Process 0 goes last: when it goes first, jax is loud in all others.
    if self._over.wait(grace if self._process_id else grace + 0.5):
      return
    text = (
      f"error: process {index} ({host}) is gone, {why.rstrip('.')}: "
      "look at its log. "
      "All others have stopped"
    )
    if status == RESTART_STATUS:
      text += "; the same command continues from the last checkpoint"
    os.write(2, f"{text}.\n".encode())
    with contextlib.suppress(Exception):
      sys.stdout.flush()
    os._exit(status)  # What runs at exit would wait for the lost one.

  def _tell(self, **message: Any) -> None:
    """Sends a message to all peers."""
    for peer in self._peers.values():
      peer.send(**message)
