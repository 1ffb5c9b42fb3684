"""Tests of the search for neighbours, and of its cache."""

import errno
import os
import pathlib

import chex
import numpy as np
import pytest
import sklearn.neighbors

from mixup_jax.recipes import neighbors
from mixup_jax.runtime import storage


def images(count=40):
  rng = np.random.default_rng(0)
  pixels = rng.integers(0, 256, (count, 4, 4, 3), np.uint8)
  return pixels, rng.permutation(np.arange(count) % 3).astype(np.int32)


@pytest.fixture
def searches(monkeypatch):
  """Counts the searches."""
  counts = []
  search = neighbors._search
  monkeypatch.setattr(
    neighbors, "_search", lambda *args: counts.append(1) or search(*args)
  )
  return counts


@pytest.fixture
def fast_search(monkeypatch):
  """Searches without compiling."""
  monkeypatch.setattr(
    neighbors,
    "_search",
    lambda images, groups, k: exhaustive(images, k).astype(np.int32),
  )


def exhaustive(pixels, k):
  search = sklearn.neighbors.NearestNeighbors(n_neighbors=k)
  return search.fit(pixels.reshape(len(pixels), -1)).kneighbors(
    return_distance=False
  )


def test_find_equals_an_exhaustive_search(tmp_path):
  pixels, labels = images()
  found = neighbors.find(pixels, k=4, cache=tmp_path)
  assert found.dtype == np.int32
  chex.assert_trees_all_equal(found, exhaustive(pixels, 4).astype(np.int32))
  same = neighbors.find(pixels, k=4, labels=labels, cache=tmp_path)
  for c in range(3):
    rows = np.flatnonzero(labels == c)
    chex.assert_trees_all_equal(
      same[rows], rows[exhaustive(pixels[rows], 4)].astype(np.int32)
    )


def test_find_searches_once_for_each_table(tmp_path, searches):
  pixels, labels = images()
  cache = tmp_path / "not" / "there"
  first = neighbors.find(pixels, k=4, cache=cache)
  chex.assert_trees_all_equal(neighbors.find(pixels, k=4, cache=cache), first)
  assert len(searches) == 1
  other = pixels.copy()
  other[0, 0, 0, 0] ^= 1
  for number, (x, k, y) in enumerate(
    (
      (other, 4, None),
      (pixels, 3, None),
      (pixels, 4, labels),
      (pixels, 4, labels[::-1]),
    ),
    start=2,
  ):
    neighbors.find(x, k=k, labels=y, cache=cache)
    assert len(searches) == number
  assert len(list(cache.iterdir())) == 5


def with_checksum(path, table):
  """Writes a table whose checksum is right, of other values."""
  np.save(path, table)
  path.write_bytes(path.read_bytes() + neighbors._crc32(path.read_bytes()))


@pytest.mark.parametrize(
  "damage",
  (
    lambda path: path.write_bytes(path.read_bytes()[:-10]),
    lambda path: path.write_bytes(path.read_bytes()[:-1]),
    lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"no table"),
    lambda path: np.save(path, np.load(path)),  # Of an earlier version.
    lambda path: np.save(path, np.array([{}] * 40)),
    lambda path: with_checksum(path, np.zeros((40, 3), np.int32)),
    lambda path: with_checksum(path, np.zeros((40, 4))),
  ),
)
def test_find_searches_again_if_a_table_is_damaged(
  tmp_path, capsys, damage, fast_search
):
  pixels, _ = images()
  first = neighbors.find(pixels, k=4, cache=tmp_path)
  (path,) = tmp_path.iterdir()
  whole = path.read_bytes()
  damage(path)
  again = neighbors.find(pixels, k=4, cache=tmp_path)
  chex.assert_trees_all_equal(again, first)
  error = capsys.readouterr().err
  assert str(path) in error and "searching again" in error
  assert path.read_bytes() == whole
  chex.assert_trees_all_equal(np.load(path), first)


def test_read_accepts_no_flipped_bit(tmp_path, fast_search):
  neighbors.find(images()[0], k=4, cache=tmp_path)
  (path,) = tmp_path.iterdir()
  whole = path.read_bytes()
  for at in range(0, len(whole), 3):
    damaged = bytearray(whole)
    damaged[at] ^= 1 << at % 8
    path.write_bytes(damaged)
    assert neighbors._read(path, (40, 4)) is None, at
  path.write_bytes(whole)
  assert neighbors._read(path, (40, 4)).shape == (40, 4)


def test_find_does_not_take_what_it_cannot_read_for_damaged(
  tmp_path, monkeypatch, fast_search, searches
):
  neighbors.find(images()[0], k=4, cache=tmp_path)
  (path,) = tmp_path.iterdir()
  whole = path.read_bytes()

  def fail(_):
    raise OSError(errno.EIO, os.strerror(errno.EIO))

  with monkeypatch.context() as patched:
    patched.setattr(pathlib.Path, "read_bytes", fail)
    with pytest.raises(OSError, match=f"cannot read .*{path} .Input/output er"):
      neighbors.find(images()[0], k=4, cache=tmp_path)
  assert len(searches) == 1 and path.read_bytes() == whole


def test_find_searches_once_for_a_table_in_a_bucket(bucket, searches):
  pixels, _ = images()
  cache = neighbors.directory(bucket)
  first = neighbors.find(pixels, k=4, cache=cache)
  chex.assert_trees_all_equal(neighbors.find(pixels, k=4, cache=cache), first)
  assert len(searches) == 1 and len(storage.files_below(cache)) == 1


def test_find_leaves_no_file_if_interrupted(tmp_path, monkeypatch):

  def stop(*_):
    raise KeyboardInterrupt

  monkeypatch.setattr(neighbors, "_search", stop)
  with pytest.raises(KeyboardInterrupt):
    neighbors.find(images()[0], k=4, cache=tmp_path)
  assert not list(tmp_path.iterdir())


def test_find_names_a_directory_that_cannot_be_written(tmp_path, searches):
  (tmp_path / "file").write_bytes(b"")
  with pytest.raises(OSError, match="cannot write .* --config.data_dir"):
    neighbors.find(images()[0], k=4, cache=tmp_path / "file" / "below")
  assert not searches  # It fails before the search.


@pytest.mark.parametrize(
  "k, in_class, message",
  [
    (40, False, "40 images of the training set: k must be from 1 to 39"),
    (13, True, "13 images of the smallest class: k must be from 1 to 12"),
    (0, False, "0 neighbours cannot be found"),
  ],
)
def test_find_refuses_a_wrong_k(tmp_path, k, in_class, message):
  pixels, labels = images()
  with pytest.raises(ValueError, match=message):
    neighbors.find(
      pixels, k=k, labels=labels if in_class else None, cache=tmp_path
    )


def test_directory_is_beside_the_data_sets(monkeypatch, tmp_path):
  monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
  assert neighbors.directory() == tmp_path / "neighbors"
  assert neighbors.directory("a") == pathlib.Path("a/neighbors")
  monkeypatch.delenv("TFDS_DATA_DIR")
  assert neighbors.directory().is_absolute()
