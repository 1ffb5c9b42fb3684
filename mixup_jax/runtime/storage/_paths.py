"""Paths that users give: expanded in one place, on a disk or in a bucket."""

import functools
import importlib.util
import logging
import os
import pathlib
import re
from typing import TypeAlias

from etils import epath

# On a disk not epath's: its `exists` hides a missing permission, its `glob`
# reads [] in the names of directories, and it takes /gs/x for gs://x.
Path: TypeAlias = pathlib.Path | epath.Path

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")
_BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]+[a-z0-9](/|$)")


def path(text: str | os.PathLike[str], name: str) -> Path:
  """Returns the path of a file or directory, on a disk or in a bucket.

  Args:
    text: What a user gave; `~` is the home directory.
    name: Where it was given, for the error, such as "--workdir".

  Returns:
    The path, with `~` expanded.

  Raises:
    ValueError: If it is an address other than gs://BUCKET, or has a user of `~`
      that is not known, or the packages for buckets are not installed.
  """
  text = os.fspath(text)
  if not _SCHEME.match(text):
    return on_disk(text, name)
  if not text.startswith("gs:/"):
    raise _unsupported(text, name, "only gs:// and paths on a disk")
  if not _BUCKET.match(text) or ".." in text.split("/"):
    raise ValueError(
      f"{name}={text}: this is no address of a bucket: write "
      "gs://BUCKET/DIRECTORY."
    )
  for package in ("gcsfs", "google.cloud.storage"):
    if not _is_installed(package):
      raise ValueError(
        f"{name}={text}: gs:// needs {package}: pip install 'mixup_jax[gcs]'."
      )
  _configure()
  return epath.Path(text)


def on_disk(text: str | os.PathLike[str], name: str) -> pathlib.Path:
  """Returns the path of a file or directory on a disk, as `path` does.

  Args:
    text: What a user gave.
    name: Where it was given.

  Returns:
    The path, with `~` expanded.

  Raises:
    ValueError: If it is an address, as of a bucket, or has a user of `~` that
      is not known. The former would be a directory named `gs:`.
  """
  text = os.fspath(text)
  if _SCHEME.match(text):
    raise _unsupported(text, name, "only paths on a disk: copy what is there")
  try:
    return pathlib.Path(text).expanduser()
  except RuntimeError as error:
    raise ValueError(
      f"{name}={text}: there is no such user: write the path in full."
    ) from error


def in_bucket(path: Path) -> bool:
  """Returns whether a path that `path` returned is in a bucket."""
  return not isinstance(path, pathlib.Path)


def data_dir(text: str | os.PathLike[str] | None) -> str | None:
  """Returns the directory of prepared data sets, for TFDS.

  Args:
    text: What a user gave; None or "" is $TFDS_DATA_DIR.

  Returns:
    The path as `path` returns it, or None, the default of TFDS.

  Raises:
    ValueError: As `path`.
  """
  if text:
    return str(path(text, "data_dir"))
  default = os.environ.get("TFDS_DATA_DIR")
  return str(path(default, "TFDS_DATA_DIR")) if default else None


def _unsupported(text: str, name: str, known: str) -> ValueError:
  scheme = text.split(":")[0]
  return ValueError(f"{name}={text}: {scheme}:// is not supported, {known}.")


def _is_installed(package: str) -> bool:
  try:
    return importlib.util.find_spec(package) is not None
  except ModuleNotFoundError:  # Of a parent of it.
    return False


@functools.cache
def _configure() -> None:
  """Sets up gcsfs, before its first use by anybody in this process."""
  import fsspec

  # What other processes write has to be seen.
  fsspec.config.conf.setdefault("gs", {})["use_listings_cache"] = False
  # It reports attempts with their tracebacks; the last error is raised.
  logging.getLogger("gcsfs").setLevel(logging.CRITICAL)
  # Else epath takes TensorFlow where that is installed, with other errors.
  os.environ.setdefault("EPATH_USE_TF", "false")
