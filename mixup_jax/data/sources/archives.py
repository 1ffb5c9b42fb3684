"""Archives as their publishers ship them, read within bounds.

A few kilobytes can unpack to gigabytes. So whoever opens an archive says how
many bytes its format promises at most, and nothing beyond is read.
"""

import bz2
import contextlib
import errno
import functools
import gzip
import lzma
import pathlib
import shutil
import tarfile
import tempfile
from typing import Any, Callable, Iterator, NamedTuple
import zipfile
import zlib

ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip")
_PACKED: tuple[tuple[bytes, Callable[..., Any]], ...] = (
  (b"\x1f\x8b", gzip.open),
  (b"\xfd7zXZ\x00", lzma.open),
  (b"BZh", bz2.open),
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DAMAGED = (
  tarfile.TarError,
  zipfile.BadZipFile,
  EOFError,
  lzma.LZMAError,
  zlib.error,
  NotImplementedError,  # A zip with an unknown method,
  RuntimeError,  # or with a password.
)


class Member(NamedTuple):
  """A file in an archive.

  Attributes:
    name: Its path there.
    size: Its bytes, as the archive claims.
    read: Returns its contents, before the next member is asked for.
    extract: Writes it below a directory, and nowhere else.
  """

  name: str
  size: int
  read: Callable[[], bytes]
  extract: Callable[[pathlib.Path], Any]


def find(path: pathlib.Path, names: str = "*") -> list[pathlib.Path]:
  """Returns the archives at a path.

  Args:
    path: An archive, or a directory.
    names: A pattern, for `pathlib.Path.glob` in the directory.

  Returns:
    The paths, sorted; hidden ones are passed over.
  """
  if path.is_file():
    return [path] if is_archive(path) else []
  return sorted(
    p
    for p in path.glob(names)
    if is_archive(p) and p.is_file() and not is_hidden(p.relative_to(path))
  )


def is_archive(path: pathlib.Path) -> bool:
  """Returns whether a name ends as that of an archive."""
  return path.name.lower().endswith(ENDINGS)


def is_hidden(path: pathlib.PurePath) -> bool:
  """Returns whether a path, or a folder in it, is no part of a data set.

  Editors, notebooks and macOS leave `.ipynb_checkpoints`, `._cat.jpg` and
  `__MACOSX` behind.
  """
  return any(
    part.startswith(".") and part.strip(".") or part == "__MACOSX"
    for part in path.parts
  )


def read(path: pathlib.Path, *, most_bytes: int) -> Iterator[Member]:
  """Yields the files of an archive, in its order.

  Args:
    path: A tar archive, compressed or not, or a zip archive.
    most_bytes: How many bytes it may unpack to.

  Yields:
    Its files. Links and folders are passed over.

  Raises:
    ValueError: If it is damaged, or unpacks to more.
    OSError: If it cannot be read, or a member not written; it names the remedy.
  """
  with _explained(path):
    if zipfile.is_zipfile(path):
      yield from _read_zip(path, most_bytes)
    else:
      yield from _read_tar(path, most_bytes)


def unpack(
  path: pathlib.Path, directory: pathlib.Path, *, most_bytes: int
) -> None:
  """Writes the files of an archive below a directory.

  Args:
    path: As in `read`.
    directory: Where to.
    most_bytes: As in `read`.

  Raises:
    ValueError: As `read`.
    OSError: As `read`, or if the disk is too small.
  """
  needed, free = path.stat().st_size, shutil.disk_usage(directory).free
  with _explained(path):
    if needed > free:  # Images and tables do not shrink.
      raise OSError(errno.ENOSPC, f"{free} bytes are free of {needed}")
  for member in read(path, most_bytes=most_bytes):
    member.extract(directory)


def unpack_xz(path: pathlib.Path, *, most_bytes: int) -> bytes:
  """Returns the contents of an `.xz` file.

  Args:
    path: The file.
    most_bytes: How many bytes it may unpack to.

  Returns:
    The contents.

  Raises:
    ValueError: If it is damaged, or unpacks to more.
    OSError: If it cannot be read.
  """
  with _explained(path), lzma.open(path) as file:
    return _Bounded(path, file, most_bytes).read()


def _read_tar(path: pathlib.Path, most_bytes: int) -> Iterator[Member]:
  with path.open("rb") as file:
    start = file.read(8)
  opener: Any = next(
    (f for magic, f in _PACKED if start.startswith(magic)), open
  )
  with opener(path, "rb") as file:
    bounded: Any = _Bounded(path, file, most_bytes)
    # A stream: headers can claim to be long too, and are read through it.
    with tarfile.open(fileobj=bounded, mode="r|") as archive:
      for member in archive:
        if member.isfile():
          yield _member(
            path,
            member.name,
            member.size,
            functools.partial(_contents, archive, member),
            functools.partial(archive.extract, member, filter="data"),
          )


def _contents(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
  file = archive.extractfile(member)
  return file.read() if file else b""


def _read_zip(path: pathlib.Path, most_bytes: int) -> Iterator[Member]:
  with zipfile.ZipFile(path) as archive:
    members = [x for x in archive.infolist() if not x.is_dir()]
    # No member is read beyond the size that the archive claims.
    _check_size(path, sum(x.file_size for x in members), most_bytes)
    for member in members:
      yield _member(
        path,
        member.filename,
        member.file_size,
        functools.partial(archive.read, member),
        functools.partial(archive.extract, member),
      )


def _member(
  path: pathlib.Path,
  name: str,
  size: int,
  read: Callable[[], bytes],
  extract: Callable[[pathlib.Path], Any],
) -> Member:
  explained = _explained(path)
  return Member(name, size, explained(read), explained(extract))


class _Bounded:
  """A file of which only so many bytes can be read."""

  def __init__(self, path: pathlib.Path, file: Any, most_bytes: int):
    self._path, self._file, self._most = path, file, most_bytes
    self._read = 0

  def read(self, size: int = -1) -> bytes:
    """Reads as files do; raises ValueError beyond the bound."""
    left = self._most - self._read + 1
    data = self._file.read(left if size < 0 else min(size, left))
    self._read += len(data)
    _check_size(self._path, self._read, self._most)
    return data


def _check_size(path: pathlib.Path, size: int, most_bytes: int) -> None:
  if size > most_bytes:
    raise ValueError(
      f"{path} unpacks to more than {most_bytes} bytes, which is more than "
      "this data set has: it is not the published file, fetch it again."
    )


@contextlib.contextmanager
def _explained(path: pathlib.Path) -> Iterator[None]:
  """Converts the errors of libraries to those that name file and remedy."""
  try:
    yield
  except OSError as error:
    if error.errno is None:  # Of gzip and bz2.
      raise _damaged(path, error) from error
    if error.errno in _FULL:
      raise OSError(
        f"{path} cannot be unpacked, {tempfile.gettempdir()} has no space "
        f"left ({error.strerror}): free some, or name a larger disk with "
        "TMPDIR in the environment."
      ) from error
    where = error.filename or path
    raise OSError(
      f"{path} cannot be unpacked: {where}: {error.strerror}."
    ) from error
  except _DAMAGED as error:
    raise _damaged(path, error) from error


def _damaged(path: pathlib.Path, error: Exception) -> ValueError:
  reason = str(error).partition("\n")[0]
  return ValueError(
    f"{path} cannot be unpacked ({reason}): it is cut off or damaged, fetch "
    "it again."
  )
