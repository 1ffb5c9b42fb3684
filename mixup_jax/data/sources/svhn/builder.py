"""SVHN as a TFDS builder, without TensorFlow."""

import os
import pathlib
from typing import Any, Iterator

import numpy as np
import tensorflow_datasets as tfds

from mixup_jax.data.sources import info
from mixup_jax.data.sources.svhn import files


class Svhn(tfds.core.GeneratorBasedBuilder):
  """SVHN, cropped digits: uint8 images and labels, in the order of the files.

  Files come from `raw_dir`, or are downloaded. Both are verified before
  anything is written.
  """

  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES = {"1.0.0": "First."}

  def __init__(
    self,
    *,
    raw_dir: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    **options: Any,
  ):
    """Makes the builder.

    Args:
      raw_dir: Where train_32x32.mat and test_32x32.mat are, in it or below;
        None downloads them.
      data_dir: Where prepared sets are; None is the default of TFDS.
      **options: As `tfds.core.GeneratorBasedBuilder` takes them.
    """
    self._raw_dir = raw_dir
    options.setdefault("file_format", "array_record")
    super().__init__(data_dir=data_dir, **options)

  def _info(self) -> tfds.core.DatasetInfo:
    return info.DatasetInfo(
      builder=self,
      description="SVHN: 73,257 and 26,032 images of cropped house numbers.",
      features=tfds.features.FeaturesDict(
        {
          "image": tfds.features.Tensor(
            shape=files.SHAPE,
            dtype=np.uint8,
            encoding=tfds.features.Encoding.BYTES,
          ),
          "label": tfds.features.ClassLabel(names=list("0123456789")),
        }
      ),
      disable_shuffling=True,  # Images stay in the order of the files.
      supervised_keys=("image", "label"),
      homepage=files.URL,
    )

  def _split_generators(
    self, dl_manager: tfds.download.DownloadManager
  ) -> dict[str, Any]:
    contents = {}
    for split, (name, _) in files.FILES.items():
      if self._raw_dir is None:
        path = pathlib.Path(dl_manager.download(files.URL + name))
        contents[split] = _read_download(path, split)
      else:
        path = files.find(pathlib.Path(self._raw_dir), split)
        contents[split] = files.read(path, split)
    return {split: _examples(*arrays) for split, arrays in contents.items()}

  def _generate_examples(self) -> Iterator[Any]:
    raise NotImplementedError  # The splits bring their own generators.


def _read_download(
  path: pathlib.Path, split: str
) -> tuple[np.ndarray, np.ndarray]:
  """Reads a file that was downloaded, and removes it if it is damaged."""
  try:
    return files.read(path, split)
  except ValueError:
    # Else TFDS would take it again, or refuse another one in its place.
    for name in path.name, f"{path.name}.INFO":
      path.with_name(name).unlink(missing_ok=True)
    raise


def _examples(
  images: np.ndarray, labels: np.ndarray
) -> Iterator[tuple[int, dict[str, Any]]]:
  """Yields the examples of a split with their row numbers as keys."""
  for row, (image, label) in enumerate(zip(images, labels)):
    yield row, {"image": image, "label": label}
