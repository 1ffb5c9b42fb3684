"""The lock of a directory in a bucket, which has no locks.

An object of the directory names its owner. It is made, renewed and taken over
under the condition that it is the version that was seen (its generation), so of
several processes one succeeds. The owner renews it every few seconds. Another
process takes it over after it was not renewed for half a minute, by the clock
of that process, or at once if the owner was a process of the same machine that
is gone. An owner that was asked to stop says so, and is waited for: it may be
the old pod, which is saving. A lock of the system ends with its owner; this one
ends later, and an owner that was stopped for so long may write for a moment
longer, until it sees the new owner and exits.
"""

import contextlib
import datetime
import json
import os
import pathlib
import socket
import sys
import threading
import time
from typing import Any, Iterator
import uuid

from mixup_jax.runtime import preemption
from mixup_jax.runtime.storage import _paths

_NAME = ".owner"
_RENEWAL_SECONDS = 8.0  # A bucket takes one write of an object a second.
_EXPIRY_SECONDS = 30.0
_POLL_SECONDS = 1.0
_TIMEOUT = 10.0
_LOST_STATUS = 1  # A restart would find the new owner.


@contextlib.contextmanager
def leased(directory: _paths.Path) -> Iterator[None]:
  """Owns a directory of a bucket while the body runs.

  If the ownership is lost, because this process was stopped for so long that
  another one took it over, this process exits at once.

  Args:
    directory: The directory.

  Yields:
    Nothing.

  Raises:
    OSError: If another process owns it and was not asked to stop; it names
      host and process.
  """
  lease = _Lease(directory)
  lease.acquire()
  thread = threading.Thread(target=lease.renew, name="lease", daemon=True)
  thread.start()
  try:
    yield
  finally:
    lease.ended.set()
    thread.join()
    lease.release()


class _Lease:
  """The object that names the owner of a directory."""

  def __init__(self, directory: _paths.Path):
    from google.cloud import storage

    bucket, *names = directory.parts[2:]
    # The project is that of no request here, and need not be known.
    client = storage.Client(project=os.environ.get("GOOGLE_CLOUD_PROJECT"))
    self._blob = client.bucket(bucket).blob("/".join([*names, _NAME]))
    self._directory = directory
    self._own = {
      "host": socket.gethostname(),
      "pid": os.getpid(),
      "since": datetime.datetime.now().isoformat(sep=" ", timespec="seconds"),
      "machine": _machine(),
      "token": uuid.uuid4().hex,
    }
    self.ended = threading.Event()

  def acquire(self) -> None:
    """Makes the object, or takes over one that is not renewed."""
    generation = 0  # Of no object.
    while not self._write(generation):
      found = self._read()
      if found is None:
        generation = 0  # It was removed just now.
        continue
      generation, owner = found
      if owner.get("token") == self._own["token"]:
        return  # Of a request of ours whose answer was lost.
      if not _is_gone(owner):
        generation = self._outlast(generation, owner)

  def renew(self) -> None:
    """Rewrites the object until `ended` is set; exits if it is another's."""
    while not self.ended.wait(_RENEWAL_SECONDS):
      try:
        if self._write(self._blob.generation):
          continue
        found = self._read()
      except Exception:
        continue  # The next attempt tells more.
      if found is not None and found[1].get("token") == self._own["token"]:
        self._blob.generation = found[0]
        continue
      print(
        f"error: another process took over the working directory "
        f"{self._directory}, while this one was stopped.",
        file=sys.stderr,
        flush=True,
      )
      os._exit(_LOST_STATUS)

  def release(self) -> None:
    """Removes the object if it is still ours."""
    with contextlib.suppress(Exception):  # It expires anyway.
      found = self._read()
      if found is not None and found[1].get("token") == self._own["token"]:
        self._blob.delete(if_generation_match=found[0], timeout=_TIMEOUT)

  def _outlast(self, generation: int, owner: dict[str, Any]) -> int:
    """Waits until an owner is overdue, or stops; raises OSError if it stays."""
    print(
      f"{self._directory} belongs to {_words(owner)}: waiting until it stops, "
      f"or is silent for {_EXPIRY_SECONDS:.0f} s.",
      file=sys.stderr,
      flush=True,
    )
    deadline = time.monotonic() + _EXPIRY_SECONDS
    while time.monotonic() < deadline:
      time.sleep(_POLL_SECONDS)
      found = self._read()
      if found is None:
        return 0
      if found[0] == generation:
        continue
      generation, owner = found
      if not owner.get("stops"):
        raise OSError(
          f"the working directory {self._directory} is in use by "
          f"{_words(owner)}: wait for it, stop it, or choose another directory "
          "with --workdir."
        )
      deadline = time.monotonic() + _EXPIRY_SECONDS
    return generation

  def _write(self, generation: int | None) -> bool:
    """Writes the object if it has a generation; returns whether it had."""
    from google.api_core import exceptions

    now = {"renewed": time.time(), "stops": preemption.is_noticed()}
    try:
      self._blob.upload_from_string(
        json.dumps(self._own | now),
        if_generation_match=generation,
        timeout=_TIMEOUT,
      )
    except exceptions.PreconditionFailed:
      return False
    return True

  def _read(self) -> tuple[int, dict[str, Any]] | None:
    """Returns the generation and the content of the object, if there is one."""
    from google.api_core import exceptions

    blob = self._blob.bucket.blob(self._blob.name)
    try:
      blob.reload(timeout=_TIMEOUT)
      text = blob.download_as_bytes(timeout=_TIMEOUT)
    except exceptions.NotFound:
      return None
    try:
      owner = json.loads(text)
    except ValueError:
      owner = None
    return blob.generation, owner if isinstance(owner, dict) else {}


def _words(owner: dict[str, Any]) -> str:
  if not owner:
    return f"an owner unknown, as {_NAME} there is damaged"
  return (
    f"process {owner.get('pid')} on host {owner.get('host')}, since "
    f"{owner.get('since')}"
  )


def _machine() -> str:
  """Returns what the numbers of this machine's processes are unique in."""
  try:
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text("utf-8")
    return f"{boot.strip()} {os.readlink('/proc/self/ns/pid')}"
  except OSError:
    return ""


def _is_gone(owner: dict[str, Any]) -> bool:
  """Returns whether an owner was a process of this machine that has ended."""
  if not owner.get("machine") or owner["machine"] != _machine():
    return False
  try:
    os.kill(int(owner["pid"]), 0)
  except ProcessLookupError:
    return True
  except (OSError, LookupError, TypeError, ValueError):
    return False
  return False
