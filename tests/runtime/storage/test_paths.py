"""Tests of the paths that users give."""

import importlib.util
import pathlib

from etils import epath
import pytest

from mixup_jax.runtime import storage


def test_path_expands_the_home_directory(monkeypatch):
  monkeypatch.setenv("HOME", "/home/me")
  assert storage.path("~/a", "--raw") == pathlib.Path("/home/me/a")
  assert storage.data_dir("~") == "/home/me"


@pytest.mark.parametrize(
  "path", ("a", "/a/~", "a/~b", "a:b/c", "C:a", "a b", "/gs/a", "a[b]*")
)
def test_path_leaves_other_paths_as_they_are_and_on_a_disk(path):
  found = storage.path(path, "--raw")
  assert found == pathlib.Path(path) and isinstance(found, pathlib.Path)
  assert not storage.in_bucket(found)


@pytest.mark.parametrize("path", ("s3://b", "file:///a", "HDFS://x", "az://b"))
def test_path_refuses_other_addresses_by_the_name_of_the_flag(path):
  with pytest.raises(ValueError, match=f"--raw={path}: .*:// is not supported"):
    storage.path(path, "--raw")


@pytest.mark.parametrize(
  "path",
  ("gs:/b/run", "gs://", "gs:///a", "gs://b", "gs://B_/a", "gs://bb/../c"),
)
def test_path_refuses_what_is_no_address_of_a_bucket(path):
  with pytest.raises(ValueError, match=f"--raw={path}: this is no address"):
    storage.path(path, "--raw")


def test_path_of_a_bucket_is_expanded_once():
  pytest.importorskip("gcsfs")
  found = storage.path("gs://bucket/a//b/", "--workdir")
  assert isinstance(found, epath.Path) and storage.in_bucket(found)
  assert str(found) == "gs://bucket/a/b"
  assert storage.path(found, "workdir") == found
  assert storage.data_dir("gs://bucket") == "gs://bucket"


def test_path_of_a_bucket_sees_what_others_write(bucket):
  from google.cloud.storage import Client

  directory = storage.path(bucket, "--workdir")
  (directory / "a").write_bytes(b"")
  assert [path.name for path in directory.iterdir()] == ["a"]
  name = f"{directory.name}/b"
  Client(project="test").bucket("bucket").blob(name).upload_from_string(b"")
  assert sorted(path.name for path in directory.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("missing", ("gcsfs", "google.cloud.storage"))
def test_path_names_the_extra_that_a_bucket_needs(monkeypatch, missing):
  def find_spec(name):
    if name == missing:
      raise ModuleNotFoundError(name)
    return "found"

  monkeypatch.setattr(importlib.util, "find_spec", find_spec)
  with pytest.raises(ValueError) as error:
    storage.path("gs://bucket/run", "--workdir")
  assert str(error.value) == (
    f"--workdir=gs://bucket/run: gs:// needs {missing}: "
    "pip install 'mixup_jax[gcs]'."
  )


@pytest.mark.parametrize("path", ("gs://bucket/run", "s3://b", "gs:/b"))
def test_on_disk_refuses_every_address(path):
  with pytest.raises(ValueError, match=f"--raw={path}: .*only paths on a disk"):
    storage.on_disk(path, "--raw")


def test_path_names_an_unknown_user():
  with pytest.raises(ValueError, match="--raw=~nobody7/a: there is no suc"):
    storage.path("~nobody7/a", "--raw")


def test_data_dir_has_the_default_of_tfds(monkeypatch):
  monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
  assert storage.data_dir(None) is storage.data_dir("") is None
  monkeypatch.setenv("TFDS_DATA_DIR", "s3://b")
  with pytest.raises(ValueError, match="TFDS_DATA_DIR=s3://b: s3://"):
    storage.data_dir(None)
