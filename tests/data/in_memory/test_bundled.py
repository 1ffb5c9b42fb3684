"""Tests of the sets that come with scikit-learn, against its own loaders."""

import numpy as np
import pytest
import sklearn.datasets

from mixup_jax.data.in_memory import bundled


@pytest.mark.parametrize("is_there", [True, False])
def test_iris_and_digits_are_those_of_sklearn(is_there, monkeypatch):
  """Bit by bit; also where its files are not where they were."""
  assert bundled._file("iris.csv").is_file()
  if not is_there:
    monkeypatch.setattr(bundled, "_file", lambda name: None)
  iris, digits = sklearn.datasets.load_iris(), sklearn.datasets.load_digits()
  for found, expected in (
    (bundled.iris(), (iris.data, iris.target)),
    (bundled.digits(), (digits.images, digits.target)),
  ):
    for ours, theirs in zip(found, expected):
      assert ours.dtype == theirs.dtype
      np.testing.assert_array_equal(ours, theirs)


def test_file_is_none_where_it_is_not():
  assert bundled._file("no_such.csv") is None
