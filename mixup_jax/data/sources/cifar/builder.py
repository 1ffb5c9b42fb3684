"""CIFAR-10 and CIFAR-100 as one TFDS builder, without TensorFlow."""

import math
import os
import pathlib
from typing import Any, Iterator

import numpy as np
import tensorflow_datasets as tfds

from mixup_jax.data.sources import info
from mixup_jax.data.sources.cifar import files
from mixup_jax.data.sources.cifar import spec

_URL = "https://www.cs.toronto.edu/~kriz/"


class Cifar(tfds.core.GeneratorBasedBuilder):
  """CIFAR-10 and CIFAR-100: uint8 images and labels, in the order of the files.

  Files come from `raw_dir`, or are downloaded. They are verified before
  anything is written.
  """

  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES = {"1.0.0": "First."}
  BUILDER_CONFIGS = list(spec.SETS)

  def __init__(
    self,
    *,
    config: str,
    raw_dir: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    **options: Any,
  ):
    """Makes the builder of one set.

    Args:
      config: "cifar10" or "cifar100".
      raw_dir: Where the files of the binary version are, or its archive, in it
        or below; None downloads it.
      data_dir: Where prepared sets are; None is the default of TFDS.
      **options: As `tfds.core.GeneratorBasedBuilder` takes them.
    """
    self._raw_dir = raw_dir
    options.setdefault("file_format", "array_record")
    super().__init__(config=config, data_dir=data_dir, **options)

  def _info(self) -> tfds.core.DatasetInfo:
    features: dict[str, Any] = {
      # Plain bytes read in a third of the time that PNG takes, 45 against
      # 130 us an image, for a fifth more space.
      "image": tfds.features.Tensor(
        shape=files.SHAPE, dtype=np.uint8, encoding=tfds.features.Encoding.BYTES
      )
    }
    for label, names in self.builder_config.labels.items():
      features[label] = tfds.features.ClassLabel(names=list(names))
    return info.DatasetInfo(
      builder=self,
      description=self.builder_config.description,
      features=tfds.features.FeaturesDict(features),
      # Images stay in the order of the files.
      disable_shuffling=True,
      supervised_keys=("image", "label"),
      homepage=f"{_URL}cifar.html",
    )

  def _split_generators(
    self, dl_manager: tfds.download.DownloadManager
  ) -> dict[str, Any]:
    config = self.builder_config
    if self._raw_dir is None:
      archive = dl_manager.download(_URL + config.archive)
      contents = _read_archive(config, pathlib.Path(archive))
    else:
      raw_files = files.find(
        pathlib.Path(self._raw_dir), _sizes(config), archive=config.archive
      )
      contents = read(config, raw_files)
    return {split: _examples(arrays) for split, arrays in contents.items()}

  def _generate_examples(self) -> Iterator[Any]:
    raise NotImplementedError  # The splits bring their own generators.


def read(
  config: spec.CifarConfig, raw_files: dict[str, files.File]
) -> dict[str, dict[str, np.ndarray]]:
  """Parses and verifies the files of a set.

  Args:
    config: The set.
    raw_files: Its files by their names.

  Returns:
    For each split `[images, 32, 32, 3]` uint8 "image", and each kind of label
    as `[images]` uint8.

  Raises:
    ValueError: If a file is not the published one.
  """
  contents = {}
  for split, checksums in config.files.items():
    parts = [
      files.parse(
        raw_files[name],
        rows=config.rows[split],
        classes=[len(names) for names in config.labels.values()],
        sha1=sha1,
      )
      for name, sha1 in checksums.items()
    ]
    images, labels = (np.concatenate(part) for part in zip(*parts))
    arrays = dict(zip(config.labels, labels.T))
    classes = config.labels["label"]
    counts = np.bincount(arrays["label"], minlength=len(classes))
    expected = len(images) // len(classes)
    if (counts != expected).any():
      wrong = int(np.argmax(counts != expected))
      raise ValueError(
        f"the {split} files of {config.name} hold {counts[wrong]} images of "
        f"the class {classes[wrong]}, expected {expected}: fetch them again "
        f"from {_URL}{config.archive}."
      )
    contents[split] = {"image": images, **arrays}
  return contents


def _read_archive(
  config: spec.CifarConfig, archive: pathlib.Path
) -> dict[str, dict[str, np.ndarray]]:
  """Reads the archive that was downloaded, and removes it if it is damaged.

  TFDS downloads without TensorFlow, but does not unpack without it.
  """
  try:
    return read(config, files.read_archive(archive, _sizes(config)))
  except ValueError as error:
    # Else TFDS would take it again, or refuse another one in its place.
    for name in archive.name, f"{archive.name}.INFO":
      archive.with_name(name).unlink(missing_ok=True)
    raise ValueError(
      f"the archive from {_URL}{config.archive} is damaged or "
      f"not the published one, and was removed: {error}"
    ) from error


def _sizes(config: spec.CifarConfig) -> dict[str, int]:
  """Returns the bytes of each file, by its name."""
  record = len(config.labels) + math.prod(files.SHAPE)
  return {
    name: config.rows[split] * record
    for split, checksums in config.files.items()
    for name in checksums
  }


def _examples(
  arrays: dict[str, np.ndarray],
) -> Iterator[tuple[int, dict[str, Any]]]:
  """Yields the examples of a split with their row numbers as keys."""
  for row, values in enumerate(zip(*arrays.values())):
    yield row, dict(zip(arrays, values))
