"""Reads a checkpoint, and detects damage."""

import errno
from typing import Any, Callable, Mapping, TypeVar

import jax
from jax.experimental import multihost_utils
import numpy as np

from mixup_jax.runtime import storage
from mixup_jax.runtime.checkpoint import _leaves
from mixup_jax.runtime.checkpoint import _orbax

T = TypeVar("T")

_TEXT_BYTES = 1024
# Files that are gone or cut off. Of other errors of the system, such as of the
# permissions, the disk or too many open files, the checkpoint is not the cause.
_OF_DAMAGE = (
  *(None, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
  *(errno.EINVAL, errno.ENAMETOOLONG),
)


def read(
  path: storage.Path, wanted: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], str]:
  """Reads a checkpoint; returns its arrays, and any damage in words.

  Raises OSError in all processes if one of them cannot read it, `Unavailable`
  if its bucket does not answer: of what is there, that says nothing.
  """
  listed, damage = _in_all_processes(path, lambda: _read_list(path))
  if damage:
    return {}, damage
  _check_model(path, listed, wanted)
  return _in_all_processes(path, lambda: _read_leaves(path, listed))


def check_written(path: storage.Path) -> None:
  """Raises an error unless a new checkpoint can be found where it should be.

  It reads the list, and opens an array: a few files of some KiB.
  """
  leaves, _ = _leaves.read_list(path)
  for name in list(leaves)[:1]:
    _open(path, name).result()


def _in_all_processes(
  path: storage.Path, attempt: Callable[[], tuple[dict[str, T], str]]
) -> tuple[dict[str, T], str]:
  """Calls a function; its errors and the damage that it finds reach all."""
  values: dict[str, T] = {}
  damage = unreadable = away = ""
  try:
    values, damage = attempt()
  except Exception as error:
    known = storage.as_os_error(error) or error
    if isinstance(known, storage.Unavailable):
      away = str(known)
    elif isinstance(known, OSError):
      unreadable = str(known)
    else:
      raise
  # If one process cannot read it, none may continue.
  away, unreadable = _of_any_process(away), _of_any_process(unreadable)
  if away:
    raise storage.Unavailable(away)
  if unreadable:
    raise OSError(unreadable)
  return values, _of_any_process(damage)


def _damage(path: storage.Path, name: str, error: Exception) -> str:
  """Returns the damage that an error shows; raises OSError if it shows none."""
  refused = storage.as_os_error(error)
  if refused is not None:
    raise refused from error
  if _orbax.code(error) in _OF_DAMAGE:
    return f"{name}: {_orbax.reason(error)}"
  remedy = _orbax.remedy(error, "check the disk, and try again")
  raise OSError(
    f"cannot read the checkpoint {path} ({name}: {_orbax.reason(error)}): "
    f"{remedy}."
  ) from error


def _read_list(path: storage.Path) -> tuple[_leaves.Leaves, str]:
  """Reads the list of leaves."""
  try:
    return _leaves.read_list(path)[0], ""
  except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
    return {}, _damage(path, "the list of leaves", error)


def _check_model(
  path: storage.Path, leaves: _leaves.Leaves, wanted: Mapping[str, Any]
) -> None:
  """Raises ValueError if a checkpoint has other leaves than a state."""
  saved = {
    name: _leaves.kind(x["dtype"], x["shape"]) for name, x in leaves.items()
  }
  ours = {name: _leaves.kind(x.dtype, x.shape) for name, x in wanted.items()}
  for name in dict.fromkeys([*ours, *saved]):
    there, here = saved.get(name, "missing"), ours.get(name, "missing")
    if there != here:
      raise ValueError(
        f"the checkpoint {path} is of another model: {name} is {there} there "
        f"and {here} here. Use the model and the optimiser that it was saved "
        "with, or choose another directory."
      )


def _read_leaves(
  path: storage.Path, leaves: _leaves.Leaves
) -> tuple[dict[str, np.ndarray], str]:
  """Reads the arrays, up to the first that differs from the saved one.

  It does not use orbax, which abandons the other reads after an error: these
  then print to the terminal.
  """
  stores = {name: _open(path, name) for name in leaves}
  values = {}
  for name, store in stores.items():
    try:
      value = store.result().read().result()
    except (OSError, ValueError, LookupError) as error:
      return {}, _damage(path, name, error)
    found, saved = _leaves.describe(value), leaves[name]
    if found != saved:
      return {}, (
        f"{name}: read {_leaves.kind(**found)}, "
        f"expected {_leaves.kind(**saved)}"
      )
    values[name] = value
  return values, ""


def _open(path: storage.Path, name: str) -> Any:
  """Opens an array of a checkpoint; returns the future of it."""
  import tensorstore as ts

  files = {"driver": "file", "path": f"{path}/state/"}
  if storage.in_bucket(path):
    bucket, *names = path.parts[2:]
    base = "/".join([*names, "state", ""])
    files = {"driver": "gcs", "bucket": bucket, "path": base}
  return ts.open(
    {
      "driver": "auto",
      "kvstore": {"driver": "ocdbt", "base": files, "path": f"{name}/"},
    }
  )


def _of_any_process(text: str) -> str:
  """Returns the first text of all processes that is not empty."""
  data = text.encode()[:_TEXT_BYTES].ljust(_TEXT_BYTES, b"\0")
  with jax.transfer_guard("allow"):
    rows = multihost_utils.process_allgather(np.frombuffer(data, np.uint8))
  texts = [bytes(row).rstrip(b"\0") for row in rows.reshape(-1, _TEXT_BYTES)]
  return next(filter(None, texts), b"").decode(errors="ignore")
