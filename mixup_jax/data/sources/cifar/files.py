"""Reads the binary version of CIFAR, and verifies its files."""

import hashlib
import lzma
import pathlib
import tarfile
from typing import Collection, NamedTuple, Sequence
import zlib

import numpy as np

SHAPE = (32, 32, 3)


class File(NamedTuple):
  """The contents of a raw file.

  Attributes:
    path: Where it was found, for messages.
    data: Its bytes, unpacked.
  """

  path: str
  data: bytes


def find(
  directory: pathlib.Path, names: Collection[str], *, archive: str
) -> dict[str, File]:
  """Reads files anywhere below a directory.

  Each may be there as it is, or as `.xz`. Those that are not are taken from the
  published archive, if that is there.

  Args:
    directory: Where to look.
    names: The names of the files, as their authors named them.
    archive: The name of the archive that holds them all.

  Returns:
    The files by their names.

  Raises:
    FileNotFoundError: If one is not there.
    ValueError: If one cannot be unpacked, or two copies of it differ.
  """
  wanted = {archive, *names, *(f"{name}.xz" for name in names)}
  # One walk: a directory of raw data may hold a million other files.
  paths = sorted(
    path
    for path in directory.rglob("*")
    if path.name in wanted and path.is_file()
  )
  files: dict[str, File] = {}
  for path in paths:
    if path.name == archive:
      continue
    file = _read(path)
    first = files.setdefault(path.name.removesuffix(".xz"), file)
    if first.data != file.data:
      raise ValueError(
        f"{first.path} and {path} differ: name the directory of "
        "one of them with --raw."
      )
  missing = [name for name in names if name not in files]
  archives = [path for path in paths if path.name == archive]
  if missing and archives:
    files |= read_archive(archives[0], missing)
  elif missing:
    raise FileNotFoundError(
      f"there is no file {missing[0]!r} in {directory} or below it, neither "
      f"{missing[0] + '.xz'!r} nor {archive!r}: name the directory that "
      "holds it with --raw."
    )
  return files


def read_archive(path: pathlib.Path, names: Collection[str]) -> dict[str, File]:
  """Reads files from a tar archive, whichever folder they are in there.

  Args:
    path: The archive.
    names: The names of the files.

  Returns:
    The files by their names.

  Raises:
    ValueError: If the archive is damaged, or a file is not in it.
  """
  files = {}
  try:
    with tarfile.open(path) as archive:
      for member in archive:
        name = pathlib.PurePosixPath(member.name).name
        contents = archive.extractfile(member) if name in names else None
        if contents is not None:
          files[name] = File(f"{path}: {member.name}", contents.read())
  except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
    raise ValueError(
      f"{path} cannot be unpacked ({error}): it is cut off or "
      "damaged, fetch it again."
    ) from error
  missing = [name for name in names if name not in files]
  if missing:
    raise ValueError(
      f"{path} holds no file {missing[0]!r}: it is not the "
      "published archive, fetch it again."
    )
  return files


def parse(
  file: File, *, rows: int, classes: Sequence[int], sha1: str
) -> tuple[np.ndarray, np.ndarray]:
  """Parses records of labels, then a red, a green and a blue plane.

  Args:
    file: The file.
    rows: The number of records it must have.
    classes: For each label of a record the number of its classes.
    sha1: The published checksum.

  Returns:
    `[rows, 32, 32, 3]` images and `[rows, labels]` labels, uint8.

  Raises:
    ValueError: If the file is not the published one.
  """
  height, width, channels = SHAPE
  size = rows * (len(classes) + height * width * channels)
  if len(file.data) != size:
    raise ValueError(
      f"{file.path} has {len(file.data)} bytes, expected {size}:"
      " it is cut off or damaged, fetch it again."
    )
  records = np.frombuffer(file.data, np.uint8).reshape(rows, -1)
  labels, pixels = np.split(records, [len(classes)], axis=1)
  for column, count in zip(labels.T, classes):
    if column.max() >= count:
      row = int(np.argmax(column >= count))
      raise ValueError(
        f"{file.path}, image {row}: the label {column[row]} is "
        f"not below {count}; it is damaged, fetch it again."
      )
  found = hashlib.sha1(file.data).hexdigest()
  if found != sha1:
    raise ValueError(
      f"{file.path} has the wrong SHA-1 {found}, expected "
      f"{sha1}: it is damaged, fetch it again."
    )
  images = pixels.reshape(rows, channels, height, width).transpose(0, 2, 3, 1)
  return images, labels


def _read(path: pathlib.Path) -> File:
  """Reads a file, and unpacks it if its name ends in .xz."""
  if path.suffix != ".xz":
    return File(str(path), path.read_bytes())
  try:
    return File(str(path), lzma.decompress(path.read_bytes()))
  except (lzma.LZMAError, EOFError) as error:
    raise ValueError(
      f"{path} cannot be unpacked ({error}): it is cut off or "
      "damaged, fetch it again."
    ) from error
