"""Tests of the reader of SVHN, on generated files."""

import hashlib
import io
import pathlib

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds

from mixup_jax.data.sources.svhn import files


def mat(images, labels):
  """Returns a file like the published ones: `[..., rows]`, and 10 for 0."""
  buffer = io.BytesIO()
  contents = {"X": np.moveaxis(images, 0, -1), "y": labels[:, None]}
  scipy.io.savemat(buffer, contents, do_compression=True)
  return buffer.getvalue()


@pytest.fixture
def published(monkeypatch):
  """Returns a function that makes data count as the published file."""

  def publish(split, data):
    name, _ = files.FILES[split]
    sha256 = hashlib.sha256(data).hexdigest()
    monkeypatch.setitem(files.FILES, split, (name, sha256))
    return data

  return publish


def test_files_have_the_checksums_of_the_tfds_catalogue():
  folder = pathlib.Path(tfds.__file__).parent / "datasets" / "svhn_cropped"
  lines = (folder / "checksums.tsv").read_text().splitlines()
  known = {url: sha256 for url, _, sha256, _ in map(str.split, lines)}
  for name, sha256 in files.FILES.values():
    assert known[files.URL + name] == sha256


def test_find_looks_anywhere_below_a_directory(tmp_path):
  path = tmp_path / "a" / "b" / "test_32x32.mat"
  path.parent.mkdir(parents=True)
  path.write_bytes(b"")
  assert files.find(tmp_path, "test") == path
  with pytest.raises(
    FileNotFoundError, match="there is no file 'train_32x32.mat' in"
  ) as error:
    files.find(tmp_path, "train")
  assert str(tmp_path) in str(error.value) and "--raw" in str(error.value)


def test_read_returns_rows_in_order_and_calls_ten_zero(published, tmp_path):
  rng = np.random.default_rng(0)
  pixels = rng.integers(0, 256, (12, 32, 32, 3), np.uint8)
  ids = np.asarray([1, 10, 9, 2, 10, 3, 4, 5, 6, 7, 8, 1], np.uint8)
  path = tmp_path / "downloaded under another name"
  path.write_bytes(published("train", mat(pixels, ids)))
  images, labels = files.read(path, "train")
  assert images.dtype == labels.dtype == np.uint8
  np.testing.assert_array_equal(images, pixels)
  np.testing.assert_array_equal(labels, [1, 0, 9, 2, 0, 3, 4, 5, 6, 7, 8, 1])


@pytest.mark.parametrize(
  "damage",
  (
    lambda data: data[:-9],
    lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
    lambda data: b"<html>Come back later.</html>",
    lambda data: b"",
  ),
  ids=("cut_off", "bit", "no_mat", "empty"),
)
def test_read_refuses_what_was_not_published(published, tmp_path, damage):
  data = published("test", mat(np.zeros((2, 32, 32, 3), np.uint8), np.ones(2)))
  path = tmp_path / "test_32x32.mat"
  path.write_bytes(damage(data))
  with pytest.raises(ValueError, match="the wrong SHA-256") as error:
    files.read(path, "test")
  for word in (
    str(path),
    hashlib.sha256(damage(data)).hexdigest(),
    hashlib.sha256(data).hexdigest(),
    "http://ufldl.stanford.edu/housenumbers/test_32x32.mat, fetch it again",
  ):
    assert word in str(error.value)
