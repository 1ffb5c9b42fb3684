"""Tests of loading and encoding tables."""

import subprocess
import sys

import chex
import numpy as np
import pytest

from mixup_jax.data.in_memory import tables

NAN = np.nan


def _table(features, labels=None, categories=None):
  features = np.asarray(features, np.float32)
  rows, columns = features.shape
  labels = np.arange(rows) % 2 if labels is None else labels
  return tables.Table(
    "made",
    features,
    np.asarray(labels, np.int32),
    2,
    categories or (0,) * columns,
  )


def test_load_iris_needs_no_download_and_imports_neither_tfds_nor_sklearn():
  code = (
    "import sys; from mixup_jax.data.in_memory import tables; "
    "tables.load('iris'); "
    "assert not {'tensorflow_datasets', 'sklearn'} & set(sys.modules)"
  )
  subprocess.run([sys.executable, "-c", code], check=True)
  table = tables.load("iris")
  chex.assert_shape(table.features, (150, 4))
  assert (table.features.dtype, table.labels.dtype) == (np.float32, np.int32)
  np.testing.assert_array_equal(np.bincount(table.labels), [50, 50, 50])


def test_load_names_the_command_if_not_prepared(tmp_path):
  with pytest.raises(FileNotFoundError) as error:
    tables.load("abalone", str(tmp_path / "data"))
  command = "python -m mixup_jax.data.prepare abalone"
  assert f"{command}\n" in str(error.value)
  assert f"{command} --raw DIR" in str(error.value)
  assert str(tmp_path / "data") in str(error.value)
  assert not (tmp_path / "data").exists()


def test_load_refuses_an_unknown_name_with_a_hint():
  with pytest.raises(ValueError, match="Did you mean 'abalone'") as error:
    tables.load("abalonee")
  assert ", ".join(tables.TABLES) in str(error.value)
  with pytest.raises(ValueError, match="Known are abalone"):
    tables.load("mnist")


@pytest.mark.parametrize(
  "categorical,missing,expected",
  (
    ("one_hot", "mean", [[0, 1, 0, 5, NAN], [0, 0, 1, 6, 2], [1, 0, 0, 7, 3]]),
    ("ordinal", "mean", [[1, 5, NAN], [2, 6, 2], [0, 7, 3]]),
    ("drop", "mean", [[5, NAN], [6, 2], [7, 3]]),
    ("one_hot", "drop", [[0, 1, 0, 5], [0, 0, 1, 6], [1, 0, 0, 7]]),
    ("drop", "drop", [[5], [6], [7]]),
  ),
)
def test_encode_converts_or_drops_columns(categorical, missing, expected):
  table = _table([[1, 5, NAN], [2, 6, 2], [0, 7, 3]], categories=(3, 0, 0))
  before = table.features.copy()
  encoded = tables.encode(table, categorical=categorical, missing=missing)
  np.testing.assert_array_equal(encoded.features, expected)
  assert encoded.features.dtype == np.float32
  assert encoded.categories == (0,) * len(expected[0])
  np.testing.assert_array_equal(table.features, before)


def test_encode_refuses_to_leave_no_column():
  table = _table([[1, NAN], [0, 2]], categories=(2, 0))
  with pytest.raises(ValueError, match="leave no column of made"):
    tables.encode(table, categorical="drop", missing="drop")


@pytest.mark.parametrize(
  "options,message",
  (
    ({"categorical": "onehot"}, "categorical 'onehot': choose one of one_hot"),
    ({"missing": "median"}, "missing 'median': choose one of mean, drop"),
  ),
)
def test_encode_refuses_unknown_options(options, message):
  options = {"categorical": "one_hot", "missing": "mean"} | options
  with pytest.raises(ValueError, match=message):
    tables.encode(_table([[1]]), **options)
