"""Tests of the reader of the binary version of CIFAR."""

import hashlib
import io
import lzma
import tarfile

import numpy as np
import pytest

from mixup_jax.data.sources.cifar import files

ARCHIVE = "cifar.tar.gz"
SIZE = 3072


def _tar(**contents):
  buffer = io.BytesIO()
  with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
    for name, data in contents.items():
      member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
      member.size = len(data)
      archive.addfile(member, io.BytesIO(data))
  return buffer.getvalue()


def _find(directory, *names):
  sizes = dict.fromkeys(names, 2000)
  found = files.find(directory, sizes, archive=ARCHIVE)
  return {name: file.data for name, file in found.items()}


def _parse(data, rows=2, classes=(10,), sha1=None):
  sha1 = sha1 or hashlib.sha1(data).hexdigest()
  file = files.File("there/a.bin", data)
  return files.parse(file, rows=rows, classes=classes, sha1=sha1)


def _record(*labels, value=0):
  return bytes(labels) + bytes([value]) * SIZE


def test_find_unpacks_and_looks_anywhere_below(tmp_path):
  (tmp_path / "x" / "y").mkdir(parents=True)
  (tmp_path / "x" / "a.bin").write_bytes(b"one")
  (tmp_path / "x" / "y" / "b.bin.xz").write_bytes(lzma.compress(b"two"))
  (tmp_path / "x" / "y" / "other.bin").write_bytes(b"three")
  assert _find(tmp_path, "a.bin", "b.bin") == {"a.bin": b"one", "b.bin": b"two"}


def test_find_takes_the_published_archive(tmp_path):
  (tmp_path / "x").mkdir()
  (tmp_path / "x" / ARCHIVE).write_bytes(_tar(a=b"one", b=b"two", c=b"three"))
  assert _find(tmp_path, "a.bin", "b.bin") == {"a.bin": b"one", "b.bin": b"two"}
  (tmp_path / "b.bin").write_bytes(b"loose")
  assert _find(tmp_path, "a.bin", "b.bin")["b.bin"] == b"loose"


def test_find_takes_copies_and_refuses_contradictions(tmp_path):
  (tmp_path / "a.bin").write_bytes(b"one")
  (tmp_path / "a.bin.xz").write_bytes(lzma.compress(b"one"))
  assert _find(tmp_path, "a.bin") == {"a.bin": b"one"}
  (tmp_path / "x").mkdir()
  (tmp_path / "x" / "a.bin").write_bytes(b"other")
  with pytest.raises(ValueError, match="differ: name the directory") as error:
    _find(tmp_path, "a.bin")
  assert str(tmp_path / "a.bin") in str(error.value)
  assert str(tmp_path / "x" / "a.bin") in str(error.value)


def test_find_names_a_missing_file_and_the_directory(tmp_path):
  (tmp_path / "a.bin").write_bytes(b"one")
  with pytest.raises(FileNotFoundError, match="there is no file 'b.bin'") as e:
    _find(tmp_path, "a.bin", "b.bin")
  for word in str(tmp_path), "'b.bin.xz'", repr(ARCHIVE), "--raw":
    assert word in str(e.value)


@pytest.mark.parametrize(
  "data",
  (lzma.compress(b"some words" * 99)[:-9], b"no archive", b""),
  ids=("cut_off", "no_xz", "empty"),
)
def test_find_reports_a_damaged_xz_in_one_line(tmp_path, data):
  (tmp_path / "a.bin.xz").write_bytes(data)
  with pytest.raises(ValueError, match="a.bin.xz cannot be unpacked") as error:
    _find(tmp_path, "a.bin")
  assert "fetch it again" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
  "data,message",
  (
    (_tar(a=bytes(range(256)) * 99, b=b"two")[:-40], "cannot be unpacked"),
    (b"<html>Come back later.</html>", "cannot be unpacked"),
    (b"", "cannot be unpacked"),
    (_tar(a=b"one"), "holds no file 'b.bin'"),
  ),
  ids=("cut_off", "no_archive", "empty", "incomplete"),
)
def test_find_reports_a_damaged_archive_in_one_line(tmp_path, data, message):
  (tmp_path / ARCHIVE).write_bytes(data)
  with pytest.raises(ValueError, match=message) as error:
    _find(tmp_path, "a.bin", "b.bin")
  assert str(tmp_path / ARCHIVE) in str(error.value)
  assert "fetch it again" in str(error.value)


def test_parse_turns_planes_into_channels():
  pixels = np.arange(2 * SIZE).reshape(2, 3, 32, 32).astype(np.uint8)
  data = b"".join(bytes([7 + i]) + x.tobytes() for i, x in enumerate(pixels))
  images, labels = _parse(data)
  assert images.shape == (2, 32, 32, 3) and images.dtype == np.uint8
  for channel in range(3):
    np.testing.assert_array_equal(images[..., channel], pixels[:, channel])
  np.testing.assert_array_equal(labels, [[7], [8]])


def test_parse_takes_records_with_two_labels():
  _, labels = _parse(_record(19, 99) + _record(0, 5), classes=(20, 100))
  np.testing.assert_array_equal(labels, [[19, 99], [0, 5]])


@pytest.mark.parametrize(
  "data,message",
  (
    (_record(1), r"a.bin has 3073 bytes, expected 6146: it is cut off"),
    (_record(1) * 2 + b"x", r"has 6147 bytes, expected 6146"),
    (_record(1) + _record(10), r"image 1: the label 10 is not below 10"),
  ),
  ids=("too_short", "too_long", "label"),
)
def test_parse_refuses_a_damaged_file(data, message):
  with pytest.raises(ValueError, match=message) as error:
    _parse(data)
  assert "there/a.bin" in str(error.value)
  assert "fetch it again" in str(error.value)


def test_parse_names_both_sums_in_a_checksum_error():
  data = _record(1) * 2
  with pytest.raises(ValueError, match="wrong SHA-1") as error:
    _parse(data, sha1="0" * 40)
  assert hashlib.sha1(data).hexdigest() in str(error.value)
  assert "0" * 40 in str(error.value)


def test_find_unpacks_no_more_than_the_file_has(tmp_path):
  (tmp_path / "a.bin.xz").write_bytes(lzma.compress(bytes(10**6)))
  with pytest.raises(ValueError, match="unpacks to more than 2000 bytes"):
    _find(tmp_path, "a.bin")
  (tmp_path / "a.bin.xz").unlink()
  (tmp_path / "a.bin").write_bytes(bytes(10**6))
  assert len(_find(tmp_path, "a.bin")["a.bin"]) == 2001
