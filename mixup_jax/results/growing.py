"""The files of a run that grow: lines of metrics, and events of TensorBoard.

A disk appends each line. A bucket cannot append, and a client that pretends it
can drops what was there: so the files are rewritten whole, which costs too much
for each line. They are after a minute, when `sync` is called, and at the end.
"""

import contextlib
import os
import pathlib
import sys
import tempfile
import time
from typing import Any, Iterator, Mapping, Protocol

from mixup_jax.results import files
from mixup_jax.results import metric_lines
from mixup_jax.runtime import storage

_SECONDS = 60.0  # Between two writes to a bucket.


class Growing(Protocol):
  """The files of a run that grow."""

  def write(self, text: str, step: int, scalars: Mapping[str, float]) -> None:
    """Adds a line, and its numbers for TensorBoard."""

  def sync(self) -> None:
    """Waits until all lines are in their place."""

  def close(self) -> None:
    """Ends the files, which then have all lines."""


def start(workdir: storage.Path, text: str, *, step: int) -> Growing:
  """Starts the files.

  Args:
    workdir: The directory of the run.
    text: The lines of earlier processes, all others are dropped.
    step: The step of the last one.

  Returns:
    The files, which have to be closed.
  """
  files.replace(workdir / metric_lines.FILE, text)
  if isinstance(workdir, pathlib.Path):
    return _OnDisk(workdir, step)
  return _InBucket(workdir, text, step)


class _OnDisk:
  """Files to which a disk appends."""

  def __init__(self, workdir: pathlib.Path, step: int):
    self._lines = open(workdir / metric_lines.FILE, "a", encoding="utf-8")
    self._events = _events(workdir, step)

  def write(self, text: str, step: int, scalars: Mapping[str, float]) -> None:
    self._lines.write(text)
    self._lines.flush()
    _add(self._events, step, scalars)

  def sync(self) -> None:
    os.fsync(self._lines.fileno())

  def close(self) -> None:
    self._lines.close()
    self._events.close()


class _InBucket:
  """Files that a bucket gets whole; the events are on a disk meanwhile."""

  def __init__(self, workdir: storage.Path, text: str, step: int):
    self._workdir = workdir
    self._lines = [text]
    self._is_complete = True
    self._written = time.monotonic()
    self._local = tempfile.TemporaryDirectory()
    self._events = _events(pathlib.Path(self._local.name), step)

  def write(self, text: str, step: int, scalars: Mapping[str, float]) -> None:
    self._lines.append(text)
    self._is_complete = False
    _add(self._events, step, scalars)
    if time.monotonic() - self._written > _SECONDS:
      self.sync()

  def sync(self) -> None:
    if self._is_complete:
      return
    self._events.flush()
    files.replace(self._workdir / metric_lines.FILE, "".join(self._lines))
    storage.upload(pathlib.Path(self._local.name), self._workdir)
    self._is_complete, self._written = True, time.monotonic()

  def close(self) -> None:
    self._events.close()  # `flush` alone leaves out what is queued.
    try:
      self.sync()
    finally:
      self._local.cleanup()


def _events(directory: pathlib.Path, step: int) -> Any:
  """Returns a writer of events from a step on."""
  with _hidden("torch", "boto3", "google.cloud.storage"):
    import tensorboardX  # Only now: it is slow, and `--help` needs none.

  return tensorboardX.SummaryWriter(
    str(directory), purge_step=step + 1, filename_suffix=f".{step}"
  )


@contextlib.contextmanager
def _hidden(*names: str) -> Iterator[None]:
  """Makes modules seem not installed, unless they are imported already.

  tensorboardX imports what it finds of these, torch for two seconds. Numbers
  need none of them, and files in buckets are written by `_InBucket`.
  """
  hidden = [name for name in names if name not in sys.modules]
  absent: dict[str, Any] = dict.fromkeys(hidden)
  sys.modules.update(absent)  # Of None, an import fails.
  try:
    yield
  finally:
    for name in hidden:
      del sys.modules[name]


def _add(events: Any, step: int, scalars: Mapping[str, float]) -> None:
  for name, value in scalars.items():
    events.add_scalar(name, value, step)
