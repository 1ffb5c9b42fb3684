"""Folders of images, one for each class, as a TFDS builder, no TensorFlow."""

import os
import pathlib
from typing import Any, Iterator

import tensorflow_datasets as tfds

from mixup_jax.data.sources import info
from mixup_jax.data.sources.image_folder import files
from mixup_jax.runtime import storage


class ImageFolder(tfds.core.GeneratorBasedBuilder):
  """Encoded images, unaltered, with the names of their folders as classes.

  The features are those of imagenet2012 in the TFDS catalogue.

  Attributes:
    remarks: Lines about files that are passed over, and irregular images.
  """

  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES = {"1.0.0": "First."}

  def __init__(
    self,
    *,
    config: str,
    folder: str | os.PathLike[str],
    data_dir: str | os.PathLike[str] | None = None,
    **options: Any,
  ):
    """Makes the builder of one set.

    Args:
      config: What to call the set.
      folder: The folder that holds train and val.
      data_dir: Where prepared sets are; None is the default of TFDS.
      **options: As `tfds.core.GeneratorBasedBuilder` takes them.
    """
    self._files = files.read(pathlib.Path(folder))
    self.remarks = self._files.remarks
    options.setdefault("file_format", "array_record")
    super().__init__(
      config=tfds.core.BuilderConfig(name=config), data_dir=data_dir, **options
    )

  def _info(self) -> tfds.core.DatasetInfo:
    features = {
      "image": tfds.features.Image(encoding_format="jpeg"),
      "label": tfds.features.ClassLabel(names=self._files.classes),
      "file_name": tfds.features.Text(),
    }
    return info.DatasetInfo(
      builder=self,
      features=tfds.features.FeaturesDict(features),
      # They are read in another order each epoch, wherever they lie.
      disable_shuffling=True,
      supervised_keys=("image", "label"),
    )

  def _split_generators(
    self, dl_manager: tfds.download.DownloadManager
  ) -> dict[str, Any]:
    del dl_manager
    return {
      "train": _examples(self._files.train),
      "validation": _examples(self._files.validation),
    }

  def _generate_examples(self) -> Iterator[Any]:
    raise NotImplementedError  # The splits bring their own generators.


def directory(name: str, data_dir: str | None) -> str:
  """Returns where a set is, or would be, prepared.

  Args:
    name: What the set is called.
    data_dir: Where prepared sets are; None is the default of TFDS.

  Returns:
    The directory, for `tfds.builder_from_directory`.
  """
  root = storage.path(data_dir or tfds.core.constants.DATA_DIR, "data_dir")
  return str(root / ImageFolder.name / name / str(ImageFolder.VERSION))


def _examples(images: list[tuple[pathlib.Path, int]]) -> Iterator[Any]:
  """Yields the examples of a split with their numbers as keys."""
  for number, (path, label) in enumerate(images):
    yield number, {"image": path, "label": label, "file_name": path.name}
