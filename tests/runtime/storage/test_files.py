"""Tests of files that are written in one step, on a disk and in a bucket."""

import errno
import os
import pathlib

import pytest

from mixup_jax.runtime import storage


@pytest.fixture(params=("disk", "bucket"))
def place(request, tmp_path) -> storage.Path:
  """Returns a new directory on a disk, and one in a bucket."""
  if request.param == "disk":
    return tmp_path
  return storage.path(request.getfixturevalue("bucket"), "here")


def test_replace_writes_a_file_anew(place):
  for data in (b"old", b"", b"\xff\0new"):
    storage.replace(place / "a.json", data)
    assert (place / "a.json").read_bytes() == data
  assert [path.name for path in place.iterdir()] == ["a.json"]


def test_replace_keeps_the_old_file_and_nothing_else_on_a_full_disk(
  tmp_path, monkeypatch
):
  storage.replace(tmp_path / "a", b"old")

  def fail(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, "fsync", fail)
  with pytest.raises(OSError, match="No space left"):
    storage.replace(tmp_path / "a", b"new", partial="a.own")
  assert [path.name for path in tmp_path.iterdir()] == ["a"]
  assert (tmp_path / "a").read_bytes() == b"old"


def test_remove_removes_all_below_and_takes_what_is_not_there(place):
  for name in ("a/b", "a/c/d", "ab"):
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(b"x")
  storage.remove(place / "a")
  storage.remove(place / "a")
  assert [path.name for path in place.iterdir()] == ["ab"]


def test_check_writable_leaves_nothing_behind(place):
  storage.check_writable(place / "new")
  assert storage.files_below(place) == []


def test_check_writable_names_a_bucket_that_is_not_there(bucket):
  directory = storage.path("gs://nobucket/run", "--workdir")
  with pytest.raises(OSError) as error:
    storage.check_writable(directory)
  assert error.value.strerror == "there is no bucket nobucket"


def test_files_below_are_those_of_all_directories(place):
  assert storage.files_below(place / "none") == []
  for name in ("b", "a/c", "a/b/d"):
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(b"x")
  names = [str(x.relative_to(place)) for x in storage.files_below(place)]
  assert names == ["a/b/d", "a/c", "b"]


def test_upload_writes_the_last_file_last(tmp_path):
  source, target = tmp_path / "source", tmp_path / "target"
  (source / "b").mkdir(parents=True)
  (target / "b").mkdir(parents=True)
  for name in ("a", "b/c", "sign"):
    (source / name).write_text(name)
  (target / "b" / "c").mkdir()  # Where this one cannot be written.
  with pytest.raises(IsADirectoryError):
    storage.upload(source, target, last="a")
  assert not (target / "a").exists()


def test_staged_uploads_unless_the_body_raises(bucket):
  target = storage.path(bucket, "here")
  with pytest.raises(KeyError), storage.staged(target) as local:
    (local / "half").write_bytes(b"x")
    raise KeyError
  with storage.staged(target / "a") as local:
    (local / "b").mkdir()
    (local / "b" / "c").write_bytes(b"x")
  assert not local.exists()
  assert storage.files_below(target) == [target / "a" / "b" / "c"]


def test_staged_is_the_directory_itself_on_a_disk(tmp_path):
  with storage.staged(tmp_path) as local:
    assert local is tmp_path and isinstance(local, pathlib.Path)
