"""Paths that users give: expanded in one place, and on a disk."""

import os
import pathlib
import re


def local(path: str | os.PathLike[str], name: str) -> pathlib.Path:
  """Returns the path of a file or directory on a disk.

  Args:
    path: What a user gave; `~` is the home directory.
    name: Where it was given, for the error, such as "--workdir".

  Returns:
    The path, with `~` expanded.

  Raises:
    ValueError: If it is an address, as of a bucket, or has a user of `~` that
      is not known. The former would be a directory named `gs:`.
  """
  text = os.fspath(path)
  scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):/", text)
  if scheme:
    raise ValueError(
      f"{name}={text}: {scheme[1]}:// is not supported, only paths on a disk: "
      "mount the bucket as a directory, or copy what is there."
    )
  try:
    return pathlib.Path(text).expanduser()
  except RuntimeError as error:
    raise ValueError(
      f"{name}={text}: there is no such user: write the path in full."
    ) from error


def data_dir(path: str | os.PathLike[str] | None) -> str | None:
  """Returns the directory of prepared data sets, for TFDS.

  Args:
    path: What a user gave; None or "" is the default of TFDS.

  Returns:
    The path as `local` returns it, or None.

  Raises:
    ValueError: As `local`.
  """
  return str(local(path, "data_dir")) if path else None
