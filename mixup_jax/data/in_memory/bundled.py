"""The sets that come with scikit-learn, read from its files.

Importing it takes a second, a quarter of a smoke run. A version that keeps them
elsewhere is asked for them.
"""

import importlib.util
import pathlib

import numpy as np


def iris() -> tuple[np.ndarray, np.ndarray]:
  """Returns `[150, 4]` float64 measures in cm, and `[150]` class ids."""
  path = _file("iris.csv")
  if path is None:
    import sklearn.datasets

    loaded = sklearn.datasets.load_iris()
    return loaded.data, loaded.target
  table = np.loadtxt(path, delimiter=",", skiprows=1)
  return table[:, :-1], table[:, -1].astype(int)


def digits() -> tuple[np.ndarray, np.ndarray]:
  """Returns `[1797, 8, 8]` float64 counts, 0 to 16, and `[1797]` class ids."""
  path = _file("digits.csv.gz")
  if path is None:
    import sklearn.datasets

    loaded = sklearn.datasets.load_digits()
    return loaded.images, loaded.target
  table = np.loadtxt(path, delimiter=",")
  return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(int)


def _file(name: str) -> pathlib.Path | None:
  """Returns a file of scikit-learn, without importing it; None if not there."""
  found = importlib.util.find_spec("sklearn")
  if found is None or found.origin is None:
    return None
  path = pathlib.Path(found.origin).parent / "datasets" / "data" / name
  return path if path.is_file() else None
