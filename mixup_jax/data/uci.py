"""The UCI tables of the paper as one TFDS builder, without TensorFlow."""

import dataclasses
import os
import pathlib
import shutil
import tempfile
from typing import Any, Iterator

import numpy as np
import tensorflow_datasets as tfds

from mixup_jax.data import raw_tables

_URL = "https://archive.ics.uci.edu/static/public/"
# Two cells of the file differ from Fisher's paper, as its documentation says
# (samples 35 and 38); with these, it is the table that scikit-learn ships.
_IRIS_CORRECTIONS = {(34, 3): 0.2, (37, 1): 3.6, (37, 2): 1.4}


@dataclasses.dataclass(eq=False, kw_only=True)
class TableConfig(tfds.core.BuilderConfig):
  """One table.

  Attributes:
    url: Where the UCI serves its archive, below the common address.
    files: For each split the data file, and the label file if there is one.
    rows: The number of rows of each split.
    columns: The number of features.
    classes: The class names, in the order of their ids.
    sha256: The checksum of the contents; None if no copy could be verified.
    delimiter: What separates fields; None is white space.
    categories: For each categorical column its words, in the order of their
      codes.
  """
  url: str
  files: dict[str, tuple[str, ...]]
  rows: tuple[int, ...]
  columns: int
  classes: tuple[str, ...]
  sha256: str | None
  delimiter: str | None = ","
  categories: dict[int, tuple[str,
                              ...]] = dataclasses.field(default_factory=dict)


TABLES = (
    TableConfig(
        name="abalone",
        description="Age of abalone: 28 ring counts from sex and 7 measures.",
        url="1/abalone.zip",
        files={"train": ("abalone.data",)},
        rows=(4177,),
        columns=8,
        classes=tuple(str(rings) for rings in (*range(1, 28), 29)),
        categories={0: ("F", "I", "M")},
        sha256="a04ecb8bc90823aed5f3054446f23fbd"
        "02890aa93b87e6b72c5d7c0c11ebf5fd"),
    TableConfig(
        name="arcene",
        description="Cancer in mass spectra, of the NIPS 2003 challenge; the "
        "test labels were never published.",
        url="167/arcene.zip",
        files={
            "train": ("arcene_train.data", "arcene_train.labels"),
            "validation": ("arcene_valid.data", "arcene_valid.labels"),
        },
        rows=(100, 100),
        columns=10_000,
        classes=("-1", "1"),
        delimiter=None,
        sha256="9e107cc480a0a34271a29548bdf3cb27"
        "86bc67307493e424718d42e371eead54"),
    TableConfig(
        name="arrhythmia",
        description="Cardiac arrhythmia; the 13 classes that occur, of the 16 "
        "that are defined. 408 values are missing.",
        url="5/arrhythmia.zip",
        files={"train": ("arrhythmia.data",)},
        rows=(452,),
        columns=279,
        classes=tuple(
            str(c) for c in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16)),
        sha256="402f97560749d3f8d0995f6aace722f1"
        "fb57da0e99f61eb25591e1aa2abfa7d9"),
    TableConfig(name="htru2",
                description="Pulsar candidates of the HTRU survey.",
                url="372/htru2.zip",
                files={"train": ("HTRU_2.csv",)},
                rows=(17_898,),
                columns=8,
                classes=("0", "1"),
                sha256="7576846923819ce3003f40dad9b112a3"
                "81516f51877b4ae5c7db464faefc3b90"),
    TableConfig(
        name="iris",
        description="Fisher's Iris, with the two errors of the file corrected.",
        url="53/iris.zip",
        files={"train": ("iris.data",)},
        rows=(150,),
        columns=4,
        classes=("Iris-setosa", "Iris-versicolor", "Iris-virginica"),
        sha256="2c54826a0b46cef3d0d25ae83d688274"
        "2e73f52e45fbd63913f984f9b10ec950"),
    TableConfig(name="phishing_websites",
                description="Phishing Websites, 30 features of URL and page.",
                url="327/phishing+websites.zip",
                files={"train": ("Training Dataset.arff",)},
                rows=(11_055,),
                columns=30,
                classes=("-1", "1"),
                sha256="5e03f70533b1744b9c58f9830ba82fa2"
                "2204a53f403b88f304f7a085967d0e91"),
    TableConfig(
        name="website_phishing",
        description="Website Phishing, 9 features, with a suspicious class. "
        "No copy was at hand to take a checksum of: only counts are verified.",
        url="379/website+phishing.zip",
        files={"train": ("PhishingData.arff",)},
        rows=(1353,),
        columns=9,
        classes=("-1", "0", "1"),
        sha256=None),
)


class Uci(tfds.core.GeneratorBasedBuilder):
  """Tables of the UCI repository: float32 features (NaN if missing), a label.

  Files come from `raw_dir`, or are downloaded. They are parsed and verified
  whole before anything is written.
  """
  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES = {"1.0.0": "First."}
  BUILDER_CONFIGS = list(TABLES)

  def __init__(self,
               *,
               config: str,
               raw_dir: str | os.PathLike[str] | None = None,
               data_dir: str | os.PathLike[str] | None = None,
               **options: Any):
    """Makes the builder of one table.

    Args:
      config: The name of the table.
      raw_dir: Where the raw files are, in it or below; None downloads them.
      data_dir: Where prepared sets are; None is the default of TFDS.
      **options: As `tfds.core.GeneratorBasedBuilder` takes them.
    """
    self._raw_dir = raw_dir
    options.setdefault("file_format", "array_record")
    super().__init__(config=config, data_dir=data_dir, **options)

  def _info(self) -> tfds.core.DatasetInfo:
    table = self.builder_config
    features = tfds.features.FeaturesDict({
        "features":
            tfds.features.Tensor(shape=(table.columns,), dtype=np.float32),
        "label":
            tfds.features.ClassLabel(names=list(table.classes)),
    })
    return tfds.core.DatasetInfo(
        builder=self,
        description=table.description,
        features=features,
        # Rows stay in the order of the file.
        disable_shuffling=True,
        supervised_keys=("features", "label"),
        homepage="https://archive.ics.uci.edu")

  def _split_generators(
      self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
    table = self.builder_config
    if self._raw_dir is None:
      archive = dl_manager.download(_URL + table.url)
      contents = _read_archive(table, pathlib.Path(archive))
    else:
      contents = read(table, pathlib.Path(self._raw_dir))
    return {name: _examples(part) for name, part in contents.items()}

  def _generate_examples(self) -> Iterator[Any]:
    raise NotImplementedError  # The splits bring their own generators.


def read(table: TableConfig,
         directory: pathlib.Path) -> dict[str, raw_tables.Contents]:
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
      word: code for words in table.categories.values()
      for code, word in enumerate(words)
  }
  contents = {}
  for (split, names), rows in zip(table.files.items(), table.rows):
    paths = [raw_tables.find(directory, name) for name in names]
    part = raw_tables.read(paths[0],
                           columns=table.columns,
                           delimiter=table.delimiter,
                           label_path=paths[1] if paths[1:] else None,
                           codes=codes)
    if len(part.labels) != rows:
      raise ValueError(f"{paths[0]} has {len(part.labels)} rows, expected "
                       f"{rows}: fetch it again from {_URL}{table.url}.")
    unknown = set(part.labels) - set(table.classes)
    if unknown:
      raise ValueError(f"{paths[0]} has the unknown classes {sorted(unknown)}, "
                       f"known are {', '.join(table.classes)}: fetch it again.")
    contents[split] = part
  found = raw_tables.checksum(list(contents.values()))
  if table.sha256 and found != table.sha256:
    raise ValueError(f"the contents of {table.name} in {directory} have the "
                     f"wrong checksum {found}, expected {table.sha256}: fetch "
                     f"the files again from {_URL}{table.url}.")
  if table.name == "iris":
    for cell, value in _IRIS_CORRECTIONS.items():
      contents["train"].features[cell] = value
  return contents


def _read_archive(table: TableConfig,
                  archive: pathlib.Path) -> dict[str, raw_tables.Contents]:
  """Reads the archive that the UCI serves, and removes it if it is damaged.

  TFDS downloads without TensorFlow, but does not unpack without it.
  """
  try:
    with tempfile.TemporaryDirectory() as directory:
      shutil.unpack_archive(archive, directory, "zip")
      return read(table, pathlib.Path(directory))
  except Exception as error:
    # Else TFDS would take it again, or refuse another one in its place.
    for name in archive.name, f"{archive.name}.INFO":
      archive.with_name(name).unlink(missing_ok=True)
    raise ValueError(f"the archive from {_URL}{table.url} is damaged or not "
                     f"the published one, and was removed: {error}") from error


def _examples(part: raw_tables.Contents) -> Iterator[tuple[int, dict]]:
  """Yields the examples of a split with their row numbers as keys."""
  for row, (features, label) in enumerate(zip(part.features, part.labels)):
    yield row, {"features": features.astype(np.float32), "label": label}
