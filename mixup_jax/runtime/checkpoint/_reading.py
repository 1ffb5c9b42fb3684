"""Reads a checkpoint, and detects damage."""

import pathlib
from typing import Any, Mapping

import jax
from jax.experimental import multihost_utils
import numpy as np

from mixup_jax.runtime.checkpoint import _leaves
from mixup_jax.runtime.checkpoint import _orbax

_TEXT_BYTES = 1024


def read(
  path: pathlib.Path, wanted: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], str]:
  """Reads a checkpoint; returns its arrays, and any damage in words."""
  leaves: _leaves.Leaves = {}
  damage = ""
  try:
    leaves = _leaves.read_list(path / "leaves" / "metadata")
  except PermissionError:
    raise
  except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
    damage = f"the list of leaves: {_orbax.reason(error)}"
  # If one process cannot read it, none may continue.
  damage = _of_any_process(damage)
  if damage:
    return {}, damage
  _check_model(path, leaves, wanted)
  values, damage = _read_leaves(path, leaves)
  return values, _of_any_process(damage)


def _check_model(
  path: pathlib.Path, leaves: _leaves.Leaves, wanted: Mapping[str, Any]
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
  path: pathlib.Path, leaves: _leaves.Leaves
) -> tuple[dict[str, np.ndarray], str]:
  """Reads the arrays, up to the first that differs from the saved one.

  It does not use orbax, which abandons the other reads after an error: these
  then print to the terminal.
  """
  import tensorstore as ts

  files = {"driver": "file", "path": f"{path}/state/"}
  stores = {
    name: ts.open(
      {
        "driver": "auto",
        "kvstore": {"driver": "ocdbt", "base": files, "path": f"{name}/"},
      }
    )
    for name in leaves
  }
  values = {}
  for name, store in stores.items():
    try:
      value = store.result().read().result()
    except (OSError, ValueError, LookupError) as error:
      return {}, f"{name}: {_orbax.reason(error)}"
    found, saved = _leaves.describe(value), leaves[name]
    if found != saved:
      return {}, (
        f"{name}: read {_leaves.kind(**found)}, "
        f"expected {_leaves.kind(**saved)}"
      )
    values[name] = value
  return values, ""


def _of_any_process(text: str) -> str:
  """Returns the first text of all processes that is not empty."""
  data = text.encode()[:_TEXT_BYTES].ljust(_TEXT_BYTES, b"\0")
  with jax.transfer_guard("allow"):
    rows = multihost_utils.process_allgather(np.frombuffer(data, np.uint8))
  texts = [bytes(row).rstrip(b"\0") for row in rows.reshape(-1, _TEXT_BYTES)]
  return next(filter(None, texts), b"").decode(errors="ignore")
