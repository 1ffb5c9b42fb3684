"""The nearest neighbours of every image of a training set, found once."""

import functools
import hashlib
import os
import pathlib
import sys
import tempfile

import jax
import numpy as np

from mixup_jax import transforms


def directory(data_dir: str | None = None) -> pathlib.Path:
  """Returns where tables are kept: beside the prepared sets.

  Args:
    data_dir: Where prepared sets are; None is the default of TFDS.

  Returns:
    The directory, which need not exist.
  """
  default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
  return pathlib.Path(data_dir or default).expanduser() / "neighbors"


def find(
  images: np.ndarray,
  *,
  k: int,
  labels: np.ndarray | None = None,
  cache: pathlib.Path,
) -> np.ndarray:
  """Finds the k nearest other images of each one, or reads what was found.

  Distances are Euclidean ones of raw pixels.

  Args:
    images: `[n, height, width, channels]` uint8.
    k: How many neighbours, less than the number of images (of each class).
    labels: `[n]` class ids: neighbours are sought inside the class if given.
    cache: The directory where tables are kept.

  Returns:
    `[n, k]` int32 row numbers, nearest first.

  Raises:
    ValueError: If there are not more than `k` images, or so many of a class.
    OSError: If a table that has to be kept cannot be.

  References:
    Zhang et al., ICLR 2018, section 3.8: neighbours are found beforehand. In
    what space it does not say.
  """
  groups = [np.arange(len(images))]
  if labels is not None:
    groups = [np.flatnonzero(labels == c) for c in np.unique(labels)]
  smallest = min(map(len, groups))
  if not 1 <= k < smallest:
    where = "the training set" if labels is None else "the smallest class"
    raise ValueError(
      f"{k} neighbours cannot be found among the {smallest} "
      f"images of {where}: k must be from 1 to {smallest - 1}."
    )
  path = cache / f"{_digest(images, k, labels)}.npy"
  found = _read(path, (len(images), k))
  if found is None:
    found = _write(path, images, groups, k)
  return found


def _digest(images: np.ndarray, k: int, labels: np.ndarray | None) -> str:
  """Returns the SHA-256 of all that a table depends on."""
  digest = hashlib.sha256(repr((images.shape, k, labels is None)).encode())
  digest.update(np.ascontiguousarray(images).data)
  if labels is not None:
    digest.update(np.ascontiguousarray(labels, np.int32).data)
  return digest.hexdigest()


def _read(path: pathlib.Path, shape: tuple[int, int]) -> np.ndarray | None:
  """Reads a table, or says why not if there is a file."""
  try:
    found = np.load(path, allow_pickle=False)
    is_table = found.shape == shape and found.dtype == np.int32
    if is_table and 0 <= found.min() and found.max() < len(found):
      return found
    reason = f"{found.dtype} of {found.shape} is no table of {shape}"
  except FileNotFoundError:
    return None
  except (OSError, ValueError, EOFError) as error:
    reason = str(error)
  print(
    f"the neighbours in {path} are damaged ({reason}): they are sought again.",
    file=sys.stderr,
  )
  return None


def _write(
  path: pathlib.Path, images: np.ndarray, groups: list[np.ndarray], k: int
) -> np.ndarray:
  """Finds the neighbours inside each group, and keeps the table."""
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Before the search: it takes minutes, and would be lost.
    with tempfile.NamedTemporaryFile(
      dir=path.parent, suffix=".part", delete=False
    ) as file:
      try:
        found = _search(images, groups, k)
        np.save(file, found)
        file.flush()
        os.replace(file.name, path)
      except BaseException:
        os.unlink(file.name)
        raise
  except OSError as error:
    raise OSError(
      f"cannot keep the table of neighbours in {path.parent} "
      f"({error.strerror}): choose another with --config.data_dir."
    ) from error
  return found


def _search(images: np.ndarray, groups: list[np.ndarray], k: int) -> np.ndarray:
  """Returns the `[n, k]` table: with classes, a tenth of the work for ten."""
  search = jax.jit(functools.partial(transforms.nearest_neighbors, k=k))
  if jax.process_index() == 0:
    print(f"seeking {k} neighbours of each of {len(images)} images", flush=True)
  found = np.empty((len(images), k), np.int32)
  for rows in groups:
    own = jax.device_get(search(jax.device_put(images[rows])))
    found[rows] = rows[own]
  return found
