"""Tests of the builder of folders of images."""

import numpy as np
import PIL.Image
import tensorflow_datasets as tfds

from mixup_jax.data.sources.image_folder import builder

NAMES = "train/n2/b.JPEG", "train/n1/a.JPEG", "train/n2/c.JPEG", "val/n2/d.JPEG"


def test_image_folder_keeps_images_as_they_are_without_the_folder(tmp_path):
  for i, name in enumerate(NAMES):
    path = tmp_path / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((8, 8 + i), 50 * i, np.uint8)
    PIL.Image.fromarray(pixels).save(path)
  (tmp_path / "raw" / "val" / "n2" / "d.JPEG").write_bytes(b"no image")
  tfds.disable_progress_bar()
  builder.ImageFolder(
    config="few", folder=tmp_path / "raw", data_dir=tmp_path / "data"
  ).download_and_prepare()
  directory = builder.directory("few", str(tmp_path / "data"))
  prepared = tfds.builder_from_directory(directory)
  features = prepared.info.features
  assert set(features) == {"image", "label", "file_name"}
  assert features["label"].names == ["n1", "n2"]
  skip = {"image": tfds.decode.SkipDecoding()}
  train, validation = (
    prepared.as_data_source(split, decoders=skip)
    for split in ("train", "validation")
  )
  found = [(x["file_name"].decode(), x["label"]) for x in train]
  assert found == [("a.JPEG", 0), ("b.JPEG", 1), ("c.JPEG", 1)]
  for example, name in zip(train, sorted(NAMES)):
    assert example["image"] == (tmp_path / "raw" / name).read_bytes()
  assert len(validation) == 1 and validation[0]["image"] == b"no image"


def test_directory_is_where_tfds_looks(monkeypatch, tmp_path):
  assert (
    builder.directory("few", str(tmp_path))
    == f"{tmp_path}/image_folder/few/1.0.0"
  )
  monkeypatch.setattr(tfds.core.constants, "DATA_DIR", "/there")
  assert builder.directory("few", None).startswith("/there/image_folder")
