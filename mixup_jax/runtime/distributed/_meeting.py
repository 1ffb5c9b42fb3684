"""The rendezvous of processes: process 0 gathers the others.

Process 0 listens on the port of the coordinator. The others connect, send their
id, and stay connected. When all are there, each receives the port for jax; if
some are missing or do not match, each receives the error.
"""

import socket
import time
import types
from typing import Any, Iterable, Mapping, NoReturn

from mixup_jax.runtime.distributed import _differences
from mixup_jax.runtime.distributed import _peer


def gather(
  port: int,
  num_processes: int,
  deadline: float,
  same: Mapping[str, Any] = types.MappingProxyType({}),
) -> tuple[dict[int, _peer.Peer], int]:
  """Waits in process 0 for the others; returns them, and the port for jax."""
  peers: dict[int, _peer.Peer] = {}
  with _listen(port) as server:
    while True:
      _forget_closed(peers)
      missing = sorted(set(range(1, num_processes)) - set(peers))
      if not missing:
        break
      if time.monotonic() > deadline:
        _refuse(
          peers.values(),
          TimeoutError,
          f"{len(missing)} of {num_processes} processes did not connect: "
          f"{', '.join(map(str, missing))}. Check their logs, and that they "
          "run and reach the coordinator, or wait longer.",
        )
      _welcome(server, peers, num_processes)
  _compare(peers, same)
  with _listen(0) as probe:
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
) -> tuple[dict[int, _peer.Peer], int]:
  """Connects to process 0; returns it, and the port for jax."""
  while True:
    try:
      hello = dict(
        process=process_id,
        of=num_processes,
        host=socket.gethostname(),
        same=dict(same),
      )
      peer, answer = _ask(address, hello, deadline)
      break
    except (OSError, ValueError, LookupError, TypeError) as error:
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
    raise (TimeoutError if is_late else ValueError)(answer["text"])
  return {0: peer}, answer["port"]


def _listen(port: int) -> socket.socket:
  """Listens on a port of this host."""
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


def _welcome(
  server: socket.socket, peers: dict[int, _peer.Peer], num_processes: int
) -> None:
  """Adds the next process that connects, if one does, to `peers`."""
  server.settimeout(0.5)
  try:
    peer = _peer.Peer(server.accept()[0])
  except TimeoutError:
    return
  try:
    hello = peer.receive_one()
    index, count, peer.host = (hello[k] for k in ("process", "of", "host"))
    peer.same = dict(hello.get("same", {}))
  except (OSError, ValueError, LookupError, TypeError):
    peer.connection.close()  # Not a process of a run.
    return
  if count != num_processes:
    _refuse(
      [peer, *peers.values()],
      ValueError,
      f"process {index} on {peer.host} has num_processes {count}, and "
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
  reports = [(socket.gethostname(), same)]
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
  address: tuple[str, int], hello: dict[str, Any], deadline: float
) -> tuple[_peer.Peer, dict[str, Any]]:
  """Greets process 0, and waits for its answer."""
  peer = _peer.Peer(
    socket.create_connection(address, timeout=_peer.READ_SECONDS)
  )
  peer.send(**hello)
  # At the deadline, process 0 names the missing ones.
  peer.connection.settimeout(
    max(0.0, deadline - time.monotonic()) + _peer.READ_SECONDS
  )
  try:
    answer = peer.receive_one()
    if "error" not in answer:
      peer.host, _ = answer["host"], answer["port"]
  except Exception:
    peer.connection.close()
    raise
  peer.connection.settimeout(_peer.READ_SECONDS)
  return peer, answer


def _refuse(
  peers: Iterable[_peer.Peer], kind: type[Exception], text: str
) -> NoReturn:
  """Raises an error here and in all peers."""
  for peer in peers:
    peer.send(error=kind.__name__, text=text)
    peer.connection.close()
  raise kind(text)
