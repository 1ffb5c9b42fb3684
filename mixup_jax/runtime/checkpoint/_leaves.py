"""The leaves of a state: names, values, and the list of them."""

import json
from typing import Any, Mapping
import zlib

import jax
from jax.experimental import multihost_utils
import numpy as np

from mixup_jax.runtime import storage

PyTree = Any
Leaves = dict[str, dict[str, Any]]


def by_name(tree: PyTree) -> dict[str, Any]:
  """Returns the leaves of a tree by their names, as in `.params['Dense_0']`.

  Args:
    tree: A state, of `jax.Array` or `jax.ShapeDtypeStruct`.

  Returns:
    The leaves.

  Raises:
    TypeError: If a leaf is something else, a typed key, or has no sharding.
  """
  leaves = {
    jax.tree_util.keystr(path): x for path, x in jax.tree.leaves_with_path(tree)
  }
  for name, x in leaves.items():
    if not isinstance(x, (jax.Array, jax.ShapeDtypeStruct)):
      raise TypeError(
        f"{name} is of type {type(x).__name__}, and states are of jax.Array: "
        "put jnp.asarray of it into the state. (flax's TrainState.create has "
        "an int as its step.)"
      )
    if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key):
      raise TypeError(
        f"{name} is a typed key, {kind(x.dtype, x.shape)}, which cannot be "
        "saved: put jax.random.key_data of it into the state, and restore it "
        "with jax.random.wrap_key_data."
      )
    if x.sharding is None:
      raise TypeError(
        f"{name} is {kind(x.dtype, x.shape)} without a sharding: give the "
        "ShapeDtypeStruct that of the array to restore."
      )
  return leaves


def host_value(x: jax.Array) -> np.ndarray:
  """Returns the value of a global array."""
  # Of a shard: the array itself would keep the copy as long as it lives.
  if x.is_fully_replicated:
    x = x.addressable_data(0)
  elif not x.is_fully_addressable:
    x = multihost_utils.process_allgather(x, tiled=True)
  return np.asarray(x)


def put(value: np.ndarray, sharding: jax.sharding.Sharding) -> jax.Array:
  """Makes a global array of a value that is equal in all processes."""
  with jax.transfer_guard("allow"):
    return jax.make_array_from_callback(
      value.shape, sharding, lambda index: value[index]
    )


def describe(value: np.ndarray) -> dict[str, Any]:
  """Returns the dtype, shape and CRC-32 of a leaf."""
  flat = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
  return {
    "dtype": str(value.dtype),
    "shape": [*value.shape],
    "crc32": zlib.crc32(flat.data),
  }


def kind(dtype: Any, shape: Any, crc32: int | None = None) -> str:
  """Formats a leaf for messages, such as `float32[8,2]`."""
  words = f"{dtype}[{','.join(map(str, shape))}]"
  return words if crc32 is None else f"{words} with CRC-32 {crc32:08x}"


def make_list(
  arrays: Mapping[str, jax.Array], note: Mapping[str, Any]
) -> dict[str, Any]:
  """Returns the list of leaves and a note in JSON values, with a CRC-32."""
  for name, x in arrays.items():
    if not x.size:
      raise ValueError(
        f"{name} is {kind(x.dtype, x.shape)}, and arrays without "
        "elements cannot be saved: leave it out of the state."
      )
  leaves = {name: describe(host_value(x)) for name, x in arrays.items()}
  listed = {"leaves": leaves, "note": dict(note)}
  return listed | {"crc32": _crc32(listed)}


def read_list(directory: storage.Path) -> tuple[Leaves, dict[str, Any]]:
  """Reads the leaves and the note of a checkpoint; raises if damaged."""
  path = directory / "leaves" / "metadata"
  listed = json.loads(path.read_text("utf-8"))
  if listed.pop("crc32") != _crc32(listed):
    raise ValueError("its CRC-32 does not match")
  return listed["leaves"], listed.get("note", {})


def _crc32(listed: Mapping[str, Any]) -> int:
  return zlib.crc32(json.dumps(listed, sort_keys=True).encode())
