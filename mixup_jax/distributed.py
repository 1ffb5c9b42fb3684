"""Several processes as one run: they start together, and leave together.

Alone, jax aborts a process whose peer has not come or has died, after a minute
or two and without a word on which one. So every process holds one TCP
connection to process 0, opened before jax starts and closed at the end:

    process 1 ---.
    process 2 ---+--- process 0, which passes on what it hears
    process 3 ---'

The system closes the connection of a process that dies, at once; one that hangs
falls silent. Who notices says so in one line, and leaves with a status that
supervisors take as "start me again".
"""

import contextlib
import ctypes
import json
import os
import re
import selectors
import signal
import socket
import sys
import threading
import time
from typing import Any, Callable, Iterable, Iterator, NoReturn

import jax

# Supervisors of JobSets restart on 42 and on 127 to 255. Those above are what
# shells and signals leave; 42 says that the fault was elsewhere.
RESTART_STATUS = 42

_GRACE_SECONDS = 3.0
_READ_SECONDS = 5.0
_watch: "_Watch | None" = None


def initialize(*,
               coordinator: str | None = None,
               num_processes: int | None = None,
               process_id: int | None = None,
               heartbeat_timeout_seconds: int = 10,
               initialization_timeout: int = 300) -> None:
  """Starts this process as one of several, before anything else of jax.

  Give the three arguments or none of them: then they come from the cluster (TPU
  pods, GKE, Slurm, Open MPI). Enter `peers_watched` right after.

  Args:
    coordinator: The address "host:port" of process 0, the same everywhere. jax
      gets a port of its own, which process 0 chooses.
    num_processes: The number of processes.
    process_id: Which of them this is, from 0 on.
    heartbeat_timeout_seconds: A process silent for so long counts as gone.
      Python code that holds the interpreter's lock as long is silent too.
    initialization_timeout: The seconds that the processes wait for each other.

  Raises:
    ValueError: If an argument is bad, or the processes do not fit together.
    TimeoutError: If not all came in time. It names the missing ones.
    OSError: If process 0 cannot listen on its port.
    RuntimeError: If it is called twice.
  """
  global _watch
  if jax.distributed.is_initialized():
    raise RuntimeError("jax.distributed is initialized already: call "
                       "initialize once, and nothing else of its kind.")
  if (coordinator, num_processes, process_id) == (None, None, None):
    coordinator, num_processes, process_id = _detect(initialization_timeout)
  coordinator, num_processes, process_id = _check_start(coordinator,
                                                        num_processes,
                                                        process_id)
  host, port = _parse_address(coordinator)
  deadline = time.monotonic() + initialization_timeout
  if process_id == 0:
    peers, jax_port = _gather(port, num_processes, deadline)
  else:
    peers, jax_port = _join((host, port), num_processes, process_id, deadline)
  _watch = _Watch(process_id, peers, heartbeat_timeout_seconds)
  # The heartbeat of jax is the second net, for when this one fails.
  jax.distributed.initialize(f"{coordinator.rpartition(':')[0]}:{jax_port}",
                             num_processes,
                             process_id,
                             initialization_timeout=initialization_timeout,
                             heartbeat_timeout_seconds=2 *
                             heartbeat_timeout_seconds)


@contextlib.contextmanager
def peers_watched() -> Iterator[None]:
  """Ends this process when another is lost, and otherwise all in order.

  Put it around everything that follows `initialize`; without `initialize` it
  does nothing. When another process dies, hangs or ends with an error, this one
  prints which, and leaves with `RESTART_STATUS` without another word: what
  waits for the lost one would wait for ever. An error of this process passes
  through, and is told to the others. At the end it waits for the others.
  """
  if _watch is None:
    yield
    return
  try:
    yield
  except BaseException as error:
    if not isinstance(error, SystemExit) or error.code:
      _watch.fail(error)
      raise
    _watch.finish()
    raise
  _watch.finish()


class _Peer:
  """A connection to another process, which carries one JSON object a line."""

  def __init__(self, connection: socket.socket):
    connection.settimeout(_READ_SECONDS)
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
      self.connection.settimeout(_READ_SECONDS)


class _Watch:
  """Watches the connections from a thread, and ends the process for them."""

  def __init__(self, process_id: int, peers: dict[int, _Peer], timeout: float):
    self._process_id = process_id
    self._peers = peers
    self._timeout = timeout
    self._finished: set[int] = set()
    self._all_finished = threading.Event()
    self._one_lost = threading.Event()
    self._over = threading.Event()
    self._restore_abort = _delay_abort()
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

  def fail(self, error: BaseException) -> None:
    """Tells the others of an error here, unless it comes of a lost peer."""
    if _is_of_runtime(error) and self._one_lost.wait(_GRACE_SECONDS):
      threading.Event().wait()  # The thread says which, and leaves.
    self._over.set()
    what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    self._tell(lost=self._process_id,
               host=socket.gethostname(),
               why=f"it ended with {what}",
               grace=_GRACE_SECONDS)  # They may be about to fail of the same.
    _abandon_jax()

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
            self._lose(index, peer.host,
                       f"it has been silent for {self._timeout:g} s")

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
      elif "lost" in message:
        self._lose(*(message[k] for k in ("lost", "host", "why", "grace")))

  def _lose(self, index: int, host: str, why: str, grace: float = 0.0) -> None:
    """Leaves for a lost peer, unless this process fails by itself."""
    self._one_lost.set()
    self._tell(lost=index, host=host, why=why, grace=grace)
    # Process 0 goes last: when it goes first, jax is loud in all others.
    if self._over.wait(grace if self._process_id else grace + 0.5):
      return
    text = (f"error: process {index} ({host}) is gone, {why}: look at its log. "
            "All others have stopped; the same command continues from the last "
            "checkpoint.\n")
    os.write(2, text.encode())
    with contextlib.suppress(Exception):
      sys.stdout.flush()
    os._exit(RESTART_STATUS)  # What runs at exit would wait for the lost one.

  def _tell(self, **message: Any) -> None:
    """Sends a message to all peers."""
    for peer in self._peers.values():
      peer.send(**message)


def _detect(timeout: int) -> tuple[str | None, int | None, int | None]:
  """Returns address, number and id that the cluster gives to this process."""
  try:  # Not public, but the only one to ask who we are before we begin.
    from jax._src import clusters
    found = clusters.ClusterEnv.auto_detect_unset_distributed_params(
        os.environ.get("JAX_COORDINATOR_ADDRESS"), None, None, None, None,
        timeout)[:3]
  except (ImportError, AttributeError, TypeError):
    found = (None, None, None)
  if None in found:
    raise ValueError("found no cluster (TPU pod, GKE, Slurm, Open MPI) around "
                     "this process: give coordinator, num_processes and "
                     "process_id.")
  return found


def _check_start(coordinator: str | None, num_processes: int | None,
                 process_id: int | None) -> tuple[str, int, int]:
  """Returns the arguments, or raises if they do not make sense."""
  if coordinator is None or num_processes is None or process_id is None:
    raise ValueError(
        f"got coordinator={coordinator!r}, num_processes={num_processes}, "
        f"process_id={process_id}: give all three, or none on a cluster.")
  if num_processes < 1:
    raise ValueError(f"num_processes must be at least 1, got {num_processes}.")
  if not 0 <= process_id < num_processes:
    raise ValueError(f"process_id must be from 0 to {num_processes - 1} with "
                     f"num_processes {num_processes}, got {process_id}.")
  return coordinator, num_processes, process_id


def _parse_address(coordinator: str) -> tuple[str, int]:
  """Returns host and port of "host:port"."""
  host, _, port = coordinator.rpartition(":")
  if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
    raise ValueError("coordinator must be host:port with a port from 1 to "
                     f"65535, such as 10.0.0.2:1234, got {coordinator!r}.")
  return host.strip("[]"), int(port)


def _gather(port: int, num_processes: int,
            deadline: float) -> tuple[dict[int, _Peer], int]:
  """Waits as process 0 for the others; returns them, and the port for jax."""
  peers: dict[int, _Peer] = {}
  with _listen(port) as server:
    while True:
      peers = {index: p for index, p in peers.items() if p.is_open()}
      missing = sorted(set(range(1, num_processes)) - set(peers))
      if not missing:
        break
      if time.monotonic() > deadline:
        _refuse(
            peers.values(), TimeoutError,
            f"{len(missing)} of {num_processes} processes did not come: "
            f"{', '.join(map(str, missing))}. Look at their logs, check that "
            "they run and reach the coordinator, or wait longer.")
      _welcome(server, peers, num_processes)
  with _listen(0) as probe:
    jax_port = probe.getsockname()[1]
  for peer in peers.values():
    peer.send(port=jax_port, host=socket.gethostname())
  return peers, jax_port


def _listen(port: int) -> socket.socket:
  """Listens on a port of this host."""
  dual = socket.has_dualstack_ipv6()
  try:
    return socket.create_server(
        ("", port),
        family=socket.AF_INET6 if dual else socket.AF_INET,
        backlog=1024,
        dualstack_ipv6=dual)
  except OSError as error:
    raise OSError(
        f"process 0 cannot listen on port {port} "
        f"({error.strerror}): choose another for coordinator.") from error


def _welcome(server: socket.socket, peers: dict[int, _Peer],
             num_processes: int) -> None:
  """Adds the next process that comes, if one does, to `peers`."""
  server.settimeout(0.5)
  try:
    peer = _Peer(server.accept()[0])
  except TimeoutError:
    return
  try:
    hello = peer.receive()[0]
    index, count, peer.host = (hello[k] for k in ("process", "of", "host"))
  except (OSError, ValueError, LookupError, TypeError):
    peer.connection.close()  # A stranger.
    return
  if count != num_processes:
    _refuse([peer, *peers.values()], ValueError,
            f"process {index} on {peer.host} has num_processes {count}, and "
            f"process 0 has {num_processes}: give the same to all.")
  if index == 0 or index in peers and peers[index].is_open():
    other = peers[index].host if index else socket.gethostname()
    _refuse([peer, *peers.values()], ValueError,
            f"two processes have process_id {index}, on {other} and on "
            f"{peer.host}: give each its own.")
  peers[index] = peer


def _refuse(peers: Iterable[_Peer], kind: type[Exception],
            text: str) -> NoReturn:
  """Raises an error here and in all peers."""
  for peer in peers:
    peer.send(error=kind.__name__, text=text)
    peer.connection.close()
  raise kind(text)


def _join(address: tuple[str, int], num_processes: int, process_id: int,
          deadline: float) -> tuple[dict[int, _Peer], int]:
  """Comes to process 0; returns it, and the port for jax."""
  while True:
    try:
      peer, answer = _ask(address, num_processes, process_id, deadline)
      break
    except (OSError, ValueError, LookupError, TypeError) as error:
      if time.monotonic() > deadline:
        raise TimeoutError(
            f"process 0 did not answer at {address[0]}:{address[1]} "
            f"({error}): look at its log, check that it runs and that the "
            "address is its own, or wait longer.") from error
      time.sleep(0.2)
  if "error" in answer:
    peer.connection.close()
    is_late = answer["error"] == TimeoutError.__name__
    raise (TimeoutError if is_late else ValueError)(answer["text"])
  return {0: peer}, answer["port"]


def _ask(address: tuple[str, int], num_processes: int, process_id: int,
         deadline: float) -> tuple[_Peer, dict[str, Any]]:
  """Says hello to process 0, and waits for its answer."""
  peer = _Peer(socket.create_connection(address, timeout=_READ_SECONDS))
  peer.send(process=process_id, of=num_processes, host=socket.gethostname())
  # At the deadline process 0 says who is missing.
  peer.connection.settimeout(
      max(0.0, deadline - time.monotonic()) + _READ_SECONDS)
  try:
    answer = peer.receive()[0]
    peer.host = answer["host"] if "port" in answer else answer["error"]
  except Exception:
    peer.connection.close()
    raise
  peer.connection.settimeout(_READ_SECONDS)
  return peer, answer


def _is_of_runtime(error: BaseException | None) -> bool:
  """Tells if an error can come from a lost peer: it starts with a status."""
  while error is not None:
    if re.match("[A-Z_]{5,}: ", str(error)):
      return True
    error = error.__cause__ or error.__context__
  return False


def _delay_abort() -> Callable[[], Any]:
  """Makes abort() wait 6 seconds; returns what undoes that.

  Without process 0, C++ code of jax aborts all others in the same moment in
  which they could find words for it. The price: a SIGABRT from outside, as of
  `kill -ABRT`, only makes this process pause.
  """
  libc = ctypes.CDLL(None)
  libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
  libc.signal.restype = ctypes.c_void_p
  # As a handler it is called as sleep(SIGABRT), and SIGABRT is 6.
  handler = ctypes.cast(libc.sleep, ctypes.c_void_p)
  previous = libc.signal(signal.SIGABRT, handler)
  return lambda: libc.signal(signal.SIGABRT, previous)


def _abandon_jax() -> None:
  """Keeps jax from waiting at exit for processes that wait for this one.

  It would wait for its heartbeat to fail and then abort, and the exit status of
  the error would be lost.
  """
  try:  # Not public; without it the status is 134.
    from jax._src import distributed
    state = distributed.global_state
    held = (state.preemption_sync_manager, state.client, state.service)
    state.preemption_sync_manager = state.client = state.service = None
  except (ImportError, AttributeError):
    return
  # Their destructors wait too. The frame of a sleeping thread is never freed.
  threading.Thread(target=lambda held: threading.Event().wait(),
                   args=(held,),
                   daemon=True).start()
