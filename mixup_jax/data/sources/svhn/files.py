"""Facts about the files of SVHN, and their reader."""

import hashlib
import pathlib

import numpy as np
import scipy.io

URL = "http://ufldl.stanford.edu/housenumbers/"
SHAPE = (32, 32, 3)
# For each split its file of cropped digits, "format 2", and the SHA-256 that
# the catalogue of TFDS 4.9.10 has for svhn_cropped. Of the 531,131 "extra"
# images nothing is used.
FILES = {
  "train": (
    "train_32x32.mat",
    "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
  ),
  "test": (
    "test_32x32.mat",
    "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
  ),
}


def find(directory: pathlib.Path, split: str) -> pathlib.Path:
  """Returns the file of a split, anywhere below a directory.

  Args:
    directory: Where to look.
    split: "train" or "test".

  Returns:
    Its path, the first of several.

  Raises:
    FileNotFoundError: If it is not there.
  """
  name, _ = FILES[split]
  for path in sorted(directory.rglob(name)):
    return path
  raise FileNotFoundError(
    f"there is no file {name!r} in {directory} or below it: name the directory "
    "that holds it with --raw."
  )


def read(path: pathlib.Path, split: str) -> tuple[np.ndarray, np.ndarray]:
  """Reads the file of a split.

  Args:
    path: The file.
    split: "train" or "test".

  Returns:
    `[rows, 32, 32, 3]` images and `[rows]` labels from 0 to 9, uint8, in the
    order of the file, which calls the class of the digit 0 10.

  Raises:
    ValueError: If the file is not the published one.
  """
  name, sha256 = FILES[split]
  with path.open("rb") as file:
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
      raise ValueError(
        f"{path} has the wrong SHA-256 {found}, expected {sha256}: it is cut "
        f"off, damaged or not {URL}{name}, fetch it again."
      )
    file.seek(0)
    contents = scipy.io.loadmat(file)
  return np.moveaxis(contents["X"], -1, 0), contents["y"].reshape(-1) % 10
