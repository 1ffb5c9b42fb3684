"""The UCI tables of the paper as one TFDS builder, without TensorFlow."""

import contextlib
import os
import pathlib
import tempfile
from typing import Any, Iterator

import numpy as np
import tensorflow_datasets as tfds

from mixup_jax.data.sources import archives
from mixup_jax.data.sources import info
from mixup_jax.data.sources.uci import files
from mixup_jax.data.sources.uci import spec

_URL = "https://archive.ics.uci.edu/static/public/"
_MOST_BYTES = 2**28  # That an archive unpacks to; arcene has some 40 MB.
# Two cells of the file differ from Fisher's paper, according to its own
# documentation (samples 35 and 38). With these it is scikit-learn's table.
_IRIS_CORRECTIONS = {(34, 3): 0.2, (37, 1): 3.6, (37, 2): 1.4}


class Uci(tfds.core.GeneratorBasedBuilder):
  """Tables of the UCI repository: float32 features (NaN if missing), a label.

  Files come from `raw_dir`, or are downloaded. They are parsed and verified
  whole before anything is written.
  """

  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES = {"1.0.0": "First."}
  BUILDER_CONFIGS = list(spec.TABLES)

  def __init__(
    self,
    *,
    config: str,
    raw_dir: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    **options: Any,
  ):
    """Makes the builder of one table.

    Args:
      config: The name of the table.
      raw_dir: Where the raw files are, in it or below, or the archive of the
        UCI with its name; None downloads them.
      data_dir: Where prepared sets are; None is the default of TFDS.
      **options: As `tfds.core.GeneratorBasedBuilder` takes them.
    """
    self._raw_dir = raw_dir
    options.setdefault("file_format", "array_record")
    super().__init__(config=config, data_dir=data_dir, **options)

  def _info(self) -> tfds.core.DatasetInfo:
    table = self.builder_config
    features = tfds.features.FeaturesDict(
      {
        "features": tfds.features.Tensor(
          shape=(table.columns,), dtype=np.float32
        ),
        "label": tfds.features.ClassLabel(names=list(table.classes)),
      }
    )
    return info.DatasetInfo(
      builder=self,
      description=table.description,
      features=features,
      # Rows stay in the order of the file.
      disable_shuffling=True,
      supervised_keys=("features", "label"),
      homepage="https://archive.ics.uci.edu",
    )

  def _split_generators(
    self, dl_manager: tfds.download.DownloadManager
  ) -> dict[str, Any]:
    table = self.builder_config
    if self._raw_dir is None:
      archive = dl_manager.download(_URL + table.url)
      contents = _read_archive(table, pathlib.Path(archive))
    else:
      with _opened(table, pathlib.Path(self._raw_dir)) as directory:
        contents = read(table, directory)
    return {name: _examples(part) for name, part in contents.items()}

  def _generate_examples(self) -> Iterator[Any]:
    raise NotImplementedError  # The splits bring their own generators.


def read(
  table: spec.TableConfig, directory: pathlib.Path
) -> dict[str, files.Contents]:
  """Reads and verifies the raw files of a table.

  Args:
    table: The table.
    directory: Where its files are, in it or below.

  Returns:
    The contents of each split.

  Raises:
    FileNotFoundError: If a file is not there.
    ValueError: If a file is cut off, damaged, or not the published one.
  """
  codes = {
    word: code
    for words in table.categories.values()
    for code, word in enumerate(words)
  }
  contents = {}
  for (split, names), rows in zip(table.files.items(), table.rows):
    paths = [files.find(directory, name) for name in names]
    part = files.read(
      paths[0],
      columns=table.columns,
      delimiter=table.delimiter,
      label_path=paths[1] if paths[1:] else None,
      codes=codes,
    )
    if len(part.labels) != rows:
      raise ValueError(
        f"{paths[0]} has {len(part.labels)} rows, expected "
        f"{rows}: fetch it again from {_URL}{table.url}."
      )
    unknown = set(part.labels) - set(table.classes)
    if unknown:
      raise ValueError(
        f"{paths[0]} has the unknown classes {sorted(unknown)}, "
        f"known are {', '.join(table.classes)}: fetch it again."
      )
    contents[split] = part
  found = files.checksum(list(contents.values()))
  if table.sha256 and found != table.sha256:
    raise ValueError(
      f"the contents of {table.name} in {directory} have the "
      f"wrong checksum {found}, expected {table.sha256}: fetch "
      f"the files again from {_URL}{table.url}."
    )
  if table.name == "iris":
    for cell, value in _IRIS_CORRECTIONS.items():
      contents["train"].features[cell] = value
  return contents


@contextlib.contextmanager
def _opened(
  table: spec.TableConfig, directory: pathlib.Path
) -> Iterator[pathlib.Path]:
  """Yields the directory, or that of its archive if the files are not there."""
  wanted = {name for names in table.files.values() for name in names}
  # As the UCI serves it, or as a browser saves it.
  name = pathlib.PurePosixPath(table.url).name
  packed = [
    path
    for path in archives.find(directory, "**/*")
    if path.name.replace(" ", "+") == name
  ]
  there = {path.name for path in directory.rglob("*")}
  if wanted <= there or not packed:
    yield directory
    return
  with tempfile.TemporaryDirectory() as unpacked:
    archives.unpack(packed[0], pathlib.Path(unpacked), most_bytes=_MOST_BYTES)
    yield pathlib.Path(unpacked)


def _read_archive(
  table: spec.TableConfig, archive: pathlib.Path
) -> dict[str, files.Contents]:
  """Reads the archive that the UCI serves, and removes it if it is damaged.

  TFDS downloads without TensorFlow, but does not unpack without it.
  """
  try:
    with tempfile.TemporaryDirectory() as directory:
      unpacked = pathlib.Path(directory)
      archives.unpack(archive, unpacked, most_bytes=_MOST_BYTES)
      return read(table, unpacked)
  except (ValueError, FileNotFoundError) as error:
    # Else TFDS would take it again, or refuse another one in its place.
    for name in archive.name, f"{archive.name}.INFO":
      archive.with_name(name).unlink(missing_ok=True)
    raise ValueError(
      f"the archive from {_URL}{table.url} is damaged or not "
      f"the published one, and was removed: {error}"
    ) from error


def _examples(part: files.Contents) -> Iterator[tuple[int, dict]]:
  """Yields the examples of a split with their row numbers as keys."""
  for row, (features, label) in enumerate(zip(part.features, part.labels)):
    yield row, {"features": features.astype(np.float32), "label": label}
