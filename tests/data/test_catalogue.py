"""Tests of opening prepared sets without running what they name."""

import json
import sys

import pytest

from mixup_jax.data import catalogue
from mixup_jax.runtime import storage

TEXT = "tensorflow_datasets.core.features.text_feature.Text"
DICT = "tensorflow_datasets.core.features.features_dict.FeaturesDict"
EVIL = "evil.Evil"


def dict_of(name, key="pythonClassName"):
  return {key: DICT, "featuresDict": {"features": {"a": {key: name}}}}


@pytest.fixture
def directory(tmp_path, monkeypatch):
  """Returns that of a set, in a directory with a module that leaves a mark."""
  (tmp_path / "evil.py").write_text("open('ran', 'w')\nclass Evil: pass\n")
  monkeypatch.chdir(tmp_path)
  monkeypatch.syspath_prepend(tmp_path)
  path = tmp_path / "imagenet2012" / "5.1.0"
  path.mkdir(parents=True)
  info = {"name": "imagenet2012", "version": "5.1.0"}
  (path / "dataset_info.json").write_text(json.dumps(info))
  yield path
  assert not (tmp_path / "ran").exists() and "evil" not in sys.modules


@pytest.mark.parametrize(
  "name, content",
  [
    ("features.json", dict_of(EVIL)),
    ("features.json", dict_of(EVIL, key="python_class_name")),
    ("features.json", dict_of("tensorflow_datasets.scripts.cli.main.x")),
    ("features.json", dict_of(f"{TEXT}.{EVIL}")),
    ("features.json", {"pythonClassName": EVIL}),
    ("features.json", {"type": EVIL, "content": {}}),
    ("features.json", {"type": DICT, "content": {"a": {"type": EVIL}}}),
    ("features.json", [{"pythonClassName": EVIL}]),
    ("dataset_info.json", {"features": dict_of(EVIL)}),
  ],
)
def test_catalogue_imports_no_class_that_is_not_of_tfds(
  directory, name, content
):
  (directory / name).write_text(json.dumps(content))
  for opened in (
    lambda: catalogue.from_directory(directory),
    lambda: catalogue.from_name("imagenet2012", directory.parents[1]),
    lambda: catalogue.from_name("imagenet2012:5.1.0", directory.parents[1]),
  ):
    with pytest.raises(ValueError, match=f"{name} names '.*no feature of TFDS"):
      opened()


def test_catalogue_imports_no_class_that_a_bucket_names(directory, bucket):
  (directory / "features.json").write_text(json.dumps(dict_of(EVIL)))
  storage.upload(directory.parents[1], storage.path(bucket, "data_dir"))
  for opened in (
    lambda: catalogue.from_directory(f"{bucket}/imagenet2012/5.1.0"),
    lambda: catalogue.from_name("imagenet2012", bucket),
  ):
    with pytest.raises(ValueError, match="names '.*no feature of TFDS"):
      opened()


@pytest.mark.parametrize("text", ("{", "[" * 10**5, "\udcff"))
def test_catalogue_names_a_damaged_file(directory, text):
  (directory / "features.json").write_text(text, errors="surrogateescape")
  with pytest.raises(ValueError, match="features.json is damaged .*: prepare"):
    catalogue.from_directory(directory)


def test_check_takes_features_of_tfds_and_the_schema_of_old_ones(directory):
  (directory / "features.json").write_text(json.dumps(dict_of(TEXT)))
  old = {"schema": {"feature": [{"name": "image", "type": "BYTES"}]}}
  (directory / "dataset_info.json").write_text(json.dumps(old))
  catalogue.check(directory)
