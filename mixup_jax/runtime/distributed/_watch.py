"""Watches the other processes, and exits this one if one of them is lost."""

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

# Supervisors of JobSets restart on 42 and on 127 to 255. Shells and signals use
# the latter; 42 means that the fault was in another process.
RESTART_STATUS = 42

# A run that cannot continue, and bad input: a restart would not help. All
# processes exit with it.
_FINAL_STATUSES = (1, 2)

_GRACE_SECONDS = 3.0
_current: "Watch | None" = None


def begin(
  process_id: int, peers: dict[int, _peer.Peer], timeout: float
) -> None:
  """Starts to watch; `peers_watched` ends it."""
  global _current
  _current = Watch(process_id, peers, timeout)


def exchange(
  report: dict[str, Any], timeout: float = 1800.0
) -> list[dict[str, Any]]:
  """Gathers a report of every process in all of them.

  All must call it within `peers_watched`; it waits for the last one.

  Args:
    report: The report of this process, JSON values by name.
    timeout: The seconds that process 0 waits for the others.

  Returns:
    The reports, from process 0 on, each with its "host".

  Raises:
    TimeoutError: If processes do not call it in time; it names them.
  """
  report = {**report, "host": socket.gethostname()}
  return [report] if _current is None else _current.exchange(report, timeout)


@contextlib.contextmanager
def peers_watched() -> Iterator[None]:
  """Exits this process if another is lost; otherwise waits for all at the end.

  Put it around everything that follows `initialize`; without `initialize` it
  does nothing. If another process dies, hangs or ends with an error, this one
  names it and exits with `RESTART_STATUS` at once: anything else would wait for
  the lost process forever. If that process exits with 1 or 2, so does this one,
  since a restart would not help. An error of this process is sent to the
  others, and raised.
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
  """Watches the connections in a thread, and exits if a peer is lost."""

  def __init__(
    self, process_id: int, peers: dict[int, _peer.Peer], timeout: float
  ):
    self._process_id = process_id
    self._peers = peers
    self._timeout = timeout
    self._finished: set[int] = set()
    self._all_finished = threading.Event()
    self._one_lost = threading.Event()
    self._reports: queue.Queue[tuple[int, Any]] = queue.Queue()
    self._over = threading.Event()
    self._restore_abort = _runtime.delay_abort()
    threading.Thread(target=self._run, daemon=True).start()

  def finish(self) -> None:
    """Waits until all have finished; never returns if one is lost instead."""
    if self._process_id:
      self._send(finished=self._process_id)
    if self._peers:
      self._all_finished.wait()
    self._over.set()
    if not self._process_id:
      self._send(finished=0)
    self._restore_abort()

  def exchange(
    self, report: dict[str, Any], timeout: float
  ) -> list[dict[str, Any]]:
    """Gathers a report of every process, as the function `exchange` does."""
    if self._process_id:
      self._send(report=report)
      return self._reports.get()[1]
    everyone = {0: report}
    deadline = time.monotonic() + timeout
    try:
      while len(everyone) <= len(self._peers):
        wait = max(0.0, deadline - time.monotonic())
        everyone.update([self._reports.get(timeout=wait)])
    except queue.Empty:
      late = ", ".join(
        f"{index} ({peer.host})"
        for index, peer in sorted(self._peers.items())
        if index not in everyone
      )
      raise TimeoutError(
        f"after {timeout:g} s these processes are not ready: {late}. Check "
        "their logs, and whether their disks respond."
      ) from None
    reports = [everyone[index] for index in sorted(everyone)]
    self._send(report=reports)
    return reports

  def fail(self, error: BaseException) -> None:
    """Sends an error to the others, unless a lost peer caused it."""
    if _runtime.is_of_lost_peer(error) and self._one_lost.wait(_GRACE_SECONDS):
      threading.Event().wait()  # The thread names the peer, and exits.
    self._over.set()
    status: Any = RESTART_STATUS
    if isinstance(error, SystemExit):
      if error.code in _FINAL_STATUSES:
        status = error.code
      error = error.__context__ or error  # The reason, which is printed.
    what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    self._send(
      lost=self._process_id,
      host=socket.gethostname(),
      why=f"it ended with {what}",
      status=status,
      grace=_GRACE_SECONDS,
    )  # They may be about to fail for the same reason.
    _runtime.abandon_jax()
    if not self._process_id and self._peers:
      time.sleep(_GRACE_SECONDS + 0.5)  # It exits last, as in _lose.

  def _run(self) -> None:
    """Sends heartbeats, and reads the messages of the others."""
    period, next_beat = min(1.0, self._timeout / 10), 0.0
    with selectors.DefaultSelector() as selector:
      for index, peer in self._peers.items():
        peer.heard = time.monotonic()
        selector.register(peer.connection, selectors.EVENT_READ, index)
      while not self._over.is_set():
        if time.monotonic() >= next_beat:
          self._send()
          next_beat = time.monotonic() + period
        for key, _ in selector.select(max(0, next_beat - time.monotonic())):
          self._read(key.data)
        for index, peer in self._peers.items():
          if time.monotonic() - peer.heard > self._timeout:
            self._lose(
              index, peer.host, f"it has been silent for {self._timeout:g} s"
            )

  def _read(self, index: int) -> None:
    """Reads the messages of a peer."""
    peer = self._peers[index]
    try:
      for message in peer.receive():
        self._take(index, message)
    except OSError:
      self._lose(index, peer.host, "its connection was closed")
    except (ValueError, TypeError):
      self._lose(index, peer.host, "it sent what is no message")

  def _take(self, index: int, message: dict[str, Any]) -> None:
    """Acts on a message; raises TypeError if its fields are wrong."""
    if "finished" in message:
      self._finished.add(index)
      if len(self._finished) == len(self._peers):
        self._all_finished.set()
    elif "report" in message:
      self._reports.put((index, message["report"]))
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
    """Exits for a lost peer, unless this process fails by itself."""
    self._one_lost.set()
    self._send(lost=index, host=host, why=why, status=status, grace=grace)
    # Process 0 exits last: if it exits first, jax prints errors in all others.
    if self._over.wait(grace if self._process_id else grace + 0.5):
      return
    text = (
      f"error: process {index} ({host}) is gone, {why.rstrip('.')}: "
      "check its log. All others have stopped"
    )
    if status == RESTART_STATUS:
      text += "; the same command resumes from the latest checkpoint"
    os.write(2, f"{text}.\n".encode())
    with contextlib.suppress(Exception):
      sys.stdout.flush()
    os._exit(status)  # Exit handlers would wait for the lost process.

  def _send(self, **message: Any) -> None:
    """Sends a message to all peers."""
    for peer in self._peers.values():
      peer.send(**message)
