"""Reads the binary version of CIFAR, and verifies its files."""

import hashlib
import math
import pathlib
from typing import Mapping, NamedTuple, Sequence

import numpy as np

from mixup_jax.data.sources import archives

SHAPE = (32, 32, 3)
# Of the archive besides the files: names, headers, a page.
_MORE_BYTES = 2**20


class File(NamedTuple):
  """The contents of a raw file.

  Attributes:
    path: Where it was found, for messages.
    data: Its bytes, unpacked.
  """

  path: str
  data: bytes


def find(
  directory: pathlib.Path, sizes: Mapping[str, int], *, archive: str
) -> dict[str, File]:
  """Reads files anywhere below a directory.

  Each may be there as it is, or as `.xz`. Those that are not are taken from the
  published archive, if that is there.

  Args:
    directory: Where to look.
    sizes: For each file its bytes, by the name that its authors gave it.
    archive: The name of the archive that holds them all.

  Returns:
    The files by their names.

  Raises:
    FileNotFoundError: If one is not there.
    ValueError: If one cannot be unpacked, or two copies of it differ.
  """
  wanted = {archive, *sizes, *(f"{name}.xz" for name in sizes)}
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
    name = path.name.removesuffix(".xz")
    file = _read(path, sizes[name])
    first = files.setdefault(name, file)
    if first.data != file.data:
      raise ValueError(
        f"{first.path} and {path} differ: name the directory of "
        "one of them with --raw."
      )
  missing = [name for name in sizes if name not in files]
  packed = [path for path in paths if path.name == archive]
  if missing and packed:
    files |= read_archive(packed[0], {name: sizes[name] for name in missing})
  elif missing:
    raise FileNotFoundError(
      f"there is no file {missing[0]!r} in {directory} or below it, neither "
      f"{missing[0] + '.xz'!r} nor {archive!r}: name the directory that "
      "holds it with --raw."
    )
  return files


def read_archive(
  path: pathlib.Path, sizes: Mapping[str, int]
) -> dict[str, File]:
  """Reads files from a tar archive, whichever folder they are in there.

  Args:
    path: The archive.
    sizes: For each file its bytes, by its name.

  Returns:
    The files by their names.

  Raises:
    ValueError: If the archive is damaged, a file is not in it, or it unpacks to
      more than CIFAR-100, the larger set.
  """
  files = {}
  most_bytes = 60_000 * (math.prod(SHAPE) + 2) + _MORE_BYTES
  for member in archives.read(path, most_bytes=most_bytes):
    name = pathlib.PurePosixPath(member.name).name
    if name in sizes:
      files[name] = File(f"{path}: {member.name}", member.read())
  missing = [name for name in sizes if name not in files]
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


def _read(path: pathlib.Path, size: int) -> File:
  """Reads a file, and unpacks it if its name ends in .xz."""
  if path.suffix == ".xz":
    return File(str(path), archives.unpack_xz(path, most_bytes=size))
  with path.open("rb") as file:
    return File(str(path), file.read(size + 1))  # `parse` compares the size.
