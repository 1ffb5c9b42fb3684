"""Tests of the paths that users give."""

import pathlib

import pytest

from mixup_jax.data import paths


def test_local_expands_the_home_directory(monkeypatch):
  monkeypatch.setenv("HOME", "/home/me")
  assert paths.local("~/a", "--raw") == pathlib.Path("/home/me/a")
  assert paths.data_dir("~") == "/home/me"


@pytest.mark.parametrize("path", ("a", "/a/~", "a/~b", "a:b/c", "C:a", "a b"))
def test_local_leaves_other_paths_as_they_are(path):
  assert paths.local(path, "--raw") == pathlib.Path(path)


@pytest.mark.parametrize(
  "path", ("gs://b/run", "s3://b", "file:///a", "gs:/b", "HDFS://x")
)
def test_local_refuses_addresses_by_the_name_of_the_flag(path):
  with pytest.raises(ValueError, match=f"--raw={path}: .*:// is not supported"):
    paths.local(path, "--raw")


def test_local_names_an_unknown_user():
  with pytest.raises(ValueError, match="--raw=~nobody7/a: there is no suc"):
    paths.local("~nobody7/a", "--raw")


def test_data_dir_keeps_the_default_of_tfds():
  assert paths.data_dir(None) is paths.data_dir("") is None
