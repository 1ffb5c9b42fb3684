"""Writes and removes files, on a disk or in a bucket."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from typing import Iterator

from mixup_jax.runtime.storage import _errors
from mixup_jax.runtime.storage import _paths


def replace(
  path: _paths.Path, data: bytes, *, partial: str | None = None
) -> None:
  """Writes a file in one step: readers never see half of it.

  Args:
    path: The file.
    data: Its new content.
    partial: The name of the file beside it in which it is written first, one
      for each of several writers; by default that of `path` with another
      suffix. A bucket needs none.
  """
  if not isinstance(path, pathlib.Path):
    path.write_bytes(data)
    return
  beside = path.with_suffix(".partial")
  if partial is not None:
    beside = path.with_name(partial)
  try:
    with open(beside, "wb") as file:
      file.write(data)
      file.flush()
      os.fsync(file.fileno())  # Else a power cut may leave an empty file.
    os.replace(beside, path)
  except BaseException:
    beside.unlink(missing_ok=True)
    raise


def remove(directory: _paths.Path) -> None:
  """Removes a directory with all that is in it, as far as that is possible."""
  if isinstance(directory, pathlib.Path):
    shutil.rmtree(directory, ignore_errors=True)
    return
  try:
    directory.rmtree(missing_ok=True)
  except Exception as error:  # Of the client, of many types.
    if _errors.as_os_error(error) is None and not isinstance(error, OSError):
      raise


def check_writable(directory: _paths.Path, *, name: str = ".probe") -> None:
  """Makes a directory, and raises unless files can be made in it.

  Args:
    directory: The directory.
    name: The name of the file that is written and removed, one for each of
      several processes that may do so at once.

  Raises:
    OSError: If it cannot be written to; its `strerror` is the reason.
    Unavailable: If it is in a bucket that does not answer.
  """
  probe = directory / name
  try:
    directory.mkdir(parents=True, exist_ok=True)
    probe.write_bytes(b"\0")
    probe.unlink()
  except Exception as error:
    if isinstance(directory, pathlib.Path):
      raise
    # Clients raise errors of many types, and give none of them an errno.
    found = _errors.as_os_error(error) or error
    if isinstance(found, _errors.Unavailable):
      raise found from error
    reason = str(found)
    if isinstance(found, FileNotFoundError):
      reason = f"there is no bucket {directory.parts[2]}"
    raise OSError(None, reason) from error


def files_below(directory: _paths.Path) -> list[_paths.Path]:
  """Returns the files of a directory and of all below it, in order.

  Args:
    directory: The directory; if there is none, it has no files.

  Returns:
    Their paths.
  """
  if isinstance(directory, pathlib.Path):
    return sorted(path for path in directory.rglob("*") if path.is_file())
  import fsspec  # Not `walk` of epath, which leaves out gs://.

  names = fsspec.filesystem("gcs").find(str(directory))
  return [_paths.path(f"gs://{name}", "a file") for name in sorted(names)]


def upload(
  source: pathlib.Path, target: _paths.Path, *, last: str = ""
) -> None:
  """Copies the files of a directory on a disk, and of all below it.

  Args:
    source: The directory.
    target: Where its files go to.
    last: The name of a file that readers take for a sign that all are there.
  """
  files = files_below(source)
  for file in sorted(files, key=lambda file: file.name == last):
    copy = target.joinpath(*file.relative_to(source).parts)
    copy.parent.mkdir(parents=True, exist_ok=True)
    # At once: a bucket keeps what was written before an error.
    copy.write_bytes(file.read_bytes())


@contextlib.contextmanager
def staged(directory: _paths.Path) -> Iterator[pathlib.Path]:
  """Yields a directory on a disk, whose files are in another one afterwards.

  Args:
    directory: Where they shall be.

  Yields:
    That directory if it is on a disk. Else a new one, which is uploaded unless
    the body raises.
  """
  if isinstance(directory, pathlib.Path):
    yield directory
    return
  with tempfile.TemporaryDirectory() as local:
    yield pathlib.Path(local)
    upload(pathlib.Path(local), directory)
