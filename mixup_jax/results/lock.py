"""A working directory has one owner: the process that writes to it.

The lock is one of the operating system, on a file in the directory, so it ends
with its owner, even after kill -9; that of a bucket is the lease of
`runtime.storage`. Of several processes that train as one, the first one holds
it.
"""

import contextlib
import datetime
import errno
import fcntl
import json
import os
import pathlib
import socket
import sys
import time
from typing import Any, Iterator, TYPE_CHECKING

import jax

if TYPE_CHECKING:
  from mixup_jax.runtime import storage

_NAME = ".owner"
_TAKEN = (errno.EAGAIN, errno.EACCES)
_NAME_SECONDS = 0.2  # The owner may be about to write its name.


@contextlib.contextmanager
def held(workdir: "storage.Path") -> Iterator[None]:
  """Owns a working directory while the body runs.

  A file system without locks is reported on stderr, and used without one.

  Args:
    workdir: The directory, which exists.

  Yields:
    Nothing.

  Raises:
    OSError: If another process owns it; it names host and process.
  """
  if jax.process_index() > 0:
    yield
    return
  if not isinstance(workdir, pathlib.Path):
    from mixup_jax.runtime import storage  # Packages for buckets alone.

    with storage.leased(workdir):
      yield
    return
  path = workdir / _NAME
  # The file stays: one that is deleted could be locked by two.
  with open(path, "a+", encoding="utf-8") as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
      if error.errno in _TAKEN:
        raise OSError(
          f"the working directory {workdir} is in use by {_owner(path)}: wait "
          "for it, stop it, or choose another directory with --workdir."
        ) from None
      print(
        f"{workdir} cannot be locked ({error.strerror}): start no second run "
        "there.",
        file=sys.stderr,
      )
    file.truncate(0)
    file.write(json.dumps(_this_process()))
    file.flush()
    yield


def _this_process() -> dict[str, Any]:
  """Returns what identifies this process to whom it refuses."""
  return {
    "host": socket.gethostname(),
    "pid": os.getpid(),
    "since": datetime.datetime.now().isoformat(sep=" ", timespec="seconds"),
  }


def _owner(path: pathlib.Path) -> str:
  """Returns the owner in words."""
  time.sleep(_NAME_SECONDS)
  try:
    owner = json.loads(path.read_text(encoding="utf-8"))
    return (
      f"process {owner['pid']} on host {owner['host']}, since {owner['since']}"
    )
  except (OSError, ValueError, LookupError, TypeError):
    return "another process"
