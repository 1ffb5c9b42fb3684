"""The nearest neighbours of every training image, searched once and cached."""

import functools
import hashlib
import io
import os
import socket
import sys
import zlib

import jax
import numpy as np

from mixup_jax import transforms
from mixup_jax.runtime import storage

_CRC_BYTES = 4


def directory(data_dir: str | None = None) -> storage.Path:
  """Returns the directory of cached tables: beside the prepared data sets.

  Args:
    data_dir: The directory of prepared data sets; None is the default of TFDS.

  Returns:
    The directory, which need not exist.
  """
  default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
  return storage.path(data_dir or default, "data_dir") / "neighbors"


def find(
  images: np.ndarray,
  *,
  k: int,
  labels: np.ndarray | None = None,
  cache: storage.Path,
) -> np.ndarray:
  """Finds the k nearest other images of each image, or reads them from a cache.

  Distances are Euclidean, of raw pixels.

  Args:
    images: `[n, height, width, channels]` uint8.
    k: The number of neighbours, less than the number of images (of each class).
    labels: `[n]` class ids; if given, neighbours are of the same class.
    cache: The directory of cached tables.

  Returns:
    `[n, k]` int32 row numbers, nearest first.

  Raises:
    ValueError: If there are `k` images or fewer, or `k` or fewer of a class.
    OSError: If the table cannot be written, or one that exists not be read.

  References:
    Zhang et al., ICLR 2018, section 3.8: neighbours are computed in advance.
    The paper does not state the space.
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
  """Returns the SHA-256 of everything that a table depends on."""
  digest = hashlib.sha256(repr((images.shape, k, labels is None)).encode())
  digest.update(np.ascontiguousarray(images).data)
  if labels is not None:
    digest.update(np.ascontiguousarray(labels, np.int32).data)
  return digest.hexdigest()


def _read(path: storage.Path, shape: tuple[int, int]) -> np.ndarray | None:
  """Reads a table; prints why a file that exists cannot be used."""
  try:
    content = path.read_bytes()
  except (FileNotFoundError, NotADirectoryError):
    return None
  except OSError as error:
    raise OSError(
      f"cannot read the table of neighbours {path} "
      f"({error.strerror or error}): make it readable, or choose "
      "another directory with --config.data_dir."
    ) from error
  content, crc32 = content[:-_CRC_BYTES], content[-_CRC_BYTES:]
  if crc32 == _crc32(content):
    found = np.load(io.BytesIO(content), allow_pickle=False)
    if found.shape == shape and found.dtype == np.int32:
      return found
    reason = f"{found.dtype} of {found.shape}, expected int32 of {shape}"
  else:
    reason = "its checksum does not match"
  print(
    f"the neighbours in {path} are damaged ({reason}): searching again.",
    file=sys.stderr,
  )
  return None


def _crc32(content: bytes) -> bytes:
  """Returns the checksum that follows a table in its file."""
  return zlib.crc32(content).to_bytes(_CRC_BYTES, "little")


def _write(
  path: storage.Path, images: np.ndarray, groups: list[np.ndarray], k: int
) -> np.ndarray:
  """Finds the neighbours within each group, and writes the table."""
  try:
    # Before the search, which takes minutes and would be lost.
    own = f"{path.stem}.{socket.gethostname()}-{os.getpid()}"
    storage.check_writable(path.parent, name=f"{own}.probe")
    found = _search(images, groups, k)
    table = io.BytesIO()
    np.save(table, found)
    content = table.getvalue() + _crc32(table.getvalue())
    storage.replace(path, content, partial=f"{own}.part")
  except storage.Unavailable:
    raise
  except OSError as error:
    raise OSError(
      f"cannot write the table of neighbours to {path.parent} "
      f"({error.strerror or error}): choose another directory with "
      "--config.data_dir."
    ) from error
  return found


def _search(images: np.ndarray, groups: list[np.ndarray], k: int) -> np.ndarray:
  """Returns the `[n, k]` table; ten classes take a tenth of the work of one."""
  search = jax.jit(functools.partial(transforms.nearest_neighbors, k=k))
  if jax.process_index() == 0:
    print(f"searching {k} neighbours of {len(images)} images", flush=True)
  found = np.empty((len(images), k), np.int32)
  for rows in groups:
    own = jax.device_get(search(jax.device_put(images[rows])))
    found[rows] = rows[own]
  return found
