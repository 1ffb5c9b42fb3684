"""Opens prepared sets through TFDS, none of whose files may name code.

A set that TFDS opens by its directory has its features in JSON, and TFDS
imports the module of any class that is named there: one of the current
directory too. So those files are read before TFDS sees them.
"""

import json
import os
import re
from typing import Any, Collection

from mixup_jax.runtime import storage

_CLASS = re.compile(r"tensorflow_datasets\.core\.features\.\w+\.\w+")
# For each file the keys that hold the name of a class: as JSON, as protocol
# buffers, and before TFDS 4.4.
_KEYS = {
  "features.json": ("pythonClassName", "python_class_name", "type"),
  "dataset_info.json": ("pythonClassName", "python_class_name"),
}


def from_directory(directory: str | os.PathLike[str]) -> Any:
  """Opens the set in a directory.

  Args:
    directory: That of `dataset_info.json`.

  Returns:
    Its TFDS builder.

  Raises:
    ValueError: If a feature is of no class of TFDS, or a file is damaged; it
      names the file.
    FileNotFoundError: If there is none.
  """
  import tensorflow_datasets as tfds  # Here, since it takes a second.

  check(storage.path(directory, "directory"))
  return tfds.builder_from_directory(os.fspath(directory))


def from_name(name: str, data_dir: str | None) -> Any:
  """Opens a set by its name in the catalogue of TFDS.

  Args:
    name: Its name, as `tfds.builder` takes it.
    data_dir: Where prepared sets are; None is the default of TFDS.

  Returns:
    Its TFDS builder; the set need not be prepared.

  Raises:
    ValueError: As `from_directory`, for any prepared version of the set.
    tfds.core.DatasetNotFoundError: If there is none of that name.
  """
  import tensorflow_datasets as tfds

  root = storage.path(data_dir or tfds.core.constants.DATA_DIR, "data_dir")
  folder = root / re.split("[/:]", name)[0]
  for path in storage.files_below(folder):
    if path.name in _KEYS:
      check(path.parent)
  return tfds.builder(name, data_dir=data_dir)


def check(directory: storage.Path) -> None:
  """Raises ValueError if the files of a set name code that is not of TFDS.

  Args:
    directory: That of `dataset_info.json`.
  """
  for name, keys in _KEYS.items():
    path = directory / name
    if not path.exists():
      continue
    try:
      _check(json.loads(path.read_bytes()), keys, path)
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
      raise ValueError(
        f"{path} is damaged ({type(error).__name__}): prepare the set again."
      ) from error


def _check(value: Any, keys: Collection[str], path: storage.Path) -> None:
  """Raises ValueError if a JSON value names a class that is not of TFDS."""
  items = value.items() if isinstance(value, dict) else ()
  for key, name in items:
    if key in keys and isinstance(name, str) and not _CLASS.fullmatch(name):
      raise ValueError(
        f"{path} names {name!r}, which is no feature of TFDS, and nothing else "
        "is imported: take a set whose features are those of TFDS."
      )
  children = value if isinstance(value, list) else [x for _, x in items]
  for child in children:
    _check(child, keys, path)
