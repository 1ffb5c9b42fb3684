"""The rendezvous of processes: process 0 gathers the others.

Process 0 listens on the port of the coordinator. The others connect, greet it,
and stay connected. When all are there, each receives the port for jax; if
some are missing or do not match, each receives the error.
"""

import json
import socket
import time
import types
from typing import Any, Iterable, Mapping, NoReturn

from mixup_jax.runtime.distributed import _differences
from mixup_jax.runtime.distributed import _greeting
from mixup_jax.runtime.distributed import _listener
from mixup_jax.runtime.distributed import _peer


def gather(
  port: int,
  num_processes: int,
  deadline: float,
  same: Mapping[str, Any] = types.MappingProxyType({}),
  secret: bytes = b"",
) -> tuple[dict[int, _peer.Peer], int]:
  """Waits in process 0 for the others; returns them, and the port for jax."""
  peers: dict[int, _peer.Peer] = {}
  with _listener.Listener(port, secret) as listener:
    while True:
      _forget_closed(peers)
      missing = sorted(set(range(1, num_processes)) - set(peers))
      if not missing:
        break
      if time.monotonic() > deadline:
        refused = (
          f" {listener.refused.capitalize()}." if listener.refused else ""
        )
        _refuse(
          peers.values(),
          TimeoutError,
          f"{len(missing)} of {num_processes} processes did not connect: "
          f"{', '.join(map(str, missing))}. Check their logs, and that they "
          f"run and reach the coordinator, or wait longer.{refused}",
        )
      for peer, greeting in listener.hear(0.5):
        _welcome(peer, greeting, peers, num_processes)
  _compare(peers, same)
  with _listener.listen(0) as probe:
    jax_port = probe.getsockname()[1]
  for peer in peers.values():
    peer.send(port=jax_port, host=socket.gethostname())
  return peers, jax_port


def join(
  address: tuple[str, int],
  num_processes: int,
  process_id: int,
  deadline: float,
  same: Mapping[str, Any] = types.MappingProxyType({}),
  secret: bytes = b"",
) -> tuple[dict[int, _peer.Peer], int]:
  """Connects to process 0; returns it, and the port for jax."""
  greeting = _greeting.Greeting(
    process_id, num_processes, socket.gethostname(), dict(same)
  )
  message = _greeting.sign(greeting, secret)
  while True:
    try:
      peer, answer = _ask(address, message, deadline)
      break
    except (OSError, ValueError) as error:
      if time.monotonic() > deadline:
        raise TimeoutError(
          f"process 0 did not answer at {address[0]}:{address[1]} "
          f"({error}): check its log, that it runs and that the address is "
          "its own, or wait longer."
        ) from error
      time.sleep(0.2)
  if "error" in answer:
    peer.connection.close()
    is_late = answer["error"] == TimeoutError.__name__
    raise (TimeoutError if is_late else ValueError)(answer.get("text"))
  return {0: peer}, answer["port"]


def _welcome(
  peer: _peer.Peer,
  greeting: _greeting.Greeting,
  peers: dict[int, _peer.Peer],
  num_processes: int,
) -> None:
  """Adds a process of this run to `peers`."""
  index = greeting.process
  if greeting.of != num_processes:
    _refuse(
      [peer, *peers.values()],
      ValueError,
      f"process {index} on {peer.host} has num_processes {greeting.of}, and "
      f"process 0 has {num_processes}: give the same to all.",
    )
  _forget_closed(peers)
  if index == 0 or index in peers:
    other = peers[index].host if index else socket.gethostname()
    _refuse(
      [peer, *peers.values()],
      ValueError,
      f"two processes have process_id {index}, on {other} and on "
      f"{peer.host}: give each its own.",
    )
  peers[index] = peer


def _compare(peers: dict[int, _peer.Peer], same: Mapping[str, Any]) -> None:
  """Raises ValueError here and in all peers if their values differ."""
  # In the form in which the others arrive.
  own = _peer.parse(json.dumps(dict(same)))
  reports = [(socket.gethostname(), own)]
  reports += [(peers[index].host, peers[index].same) for index in sorted(peers)]
  found = _differences.differences(reports)
  if found:
    _refuse(
      peers.values(),
      ValueError,
      f"the processes do not match:\n{found}\n"
      "Give the same code, versions and config to all.",
    )


def _forget_closed(peers: dict[int, _peer.Peer]) -> None:
  """Removes peers that have disconnected; they may connect again."""
  for index in [index for index, p in peers.items() if not p.is_open()]:
    peers.pop(index).connection.close()


def _ask(
  address: tuple[str, int], message: dict[str, str], deadline: float
) -> tuple[_peer.Peer, dict[str, Any]]:
  """Greets process 0, and waits for its answer."""
  peer = _peer.Peer(
    socket.create_connection(address, timeout=_peer.READ_SECONDS)
  )
  peer.send(**message)
  try:
    # At the deadline, process 0 names the missing ones.
    late = max(deadline, time.monotonic()) + _peer.READ_SECONDS
    answer = peer.receive_one(late)
    if "error" not in answer:
      host, port = answer.get("host"), answer.get("port")
      if not isinstance(host, str) or type(port) is not int:
        raise ValueError("its answer is of another protocol")
      peer.host = host
  except Exception:
    peer.connection.close()
    raise
  return peer, answer


def _refuse(
  peers: Iterable[_peer.Peer], kind: type[Exception], text: str
) -> NoReturn:
  """Raises an error here and in all peers."""
  for peer in peers:
    peer.send(error=kind.__name__, text=text)
    peer.connection.close()
  raise kind(text)
