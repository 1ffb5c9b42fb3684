"""The data mesh, and the placement of host arrays on it."""

from typing import Any, Sequence

import jax
from jax.experimental import mesh_utils
import numpy as np

PyTree = Any
Mesh = jax.sharding.Mesh

AXIS = "data"


def make_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
  """Returns a one-axis mesh, "data", over all devices or the given ones.

  Devices of one slice of a pod are next to each other, and within it in the
  order of its network. So are the GPUs of a host that has a network of its own.

  Args:
    devices: The devices; None is all, of all processes.

  Returns:
    The mesh.

  Raises:
    ValueError: If slices have different numbers of devices.
  """
  devices = jax.devices() if devices is None else devices
  slices = [getattr(x, "slice_index", 0) for x in devices]
  sizes = sorted(slices.count(index) for index in set(slices))
  if sizes[0] != sizes[-1]:
    raise ValueError(f"slices have {sizes} devices: give slices of one size.")
  # Explicit axes, the default, forbid x[partner] on a sharded batch.
  auto = (jax.sharding.AxisType.Auto,)
  if len(sizes) == 1:
    size = (len(devices),)
    return jax.make_mesh(size, (AXIS,), axis_types=auto, devices=devices)
  ordered = mesh_utils.create_hybrid_device_mesh(
    sizes[:1], (len(sizes),), devices=devices
  )
  return Mesh(ordered, (AXIS,), axis_types=auto)


def sharded(mesh: Mesh) -> jax.sharding.NamedSharding:
  """Returns the sharding that splits the leading axis over the mesh."""
  return jax.sharding.NamedSharding(mesh, jax.P(AXIS))


def replicated(mesh: Mesh) -> jax.sharding.NamedSharding:
  """Returns the sharding that puts a copy on each device."""
  return jax.sharding.NamedSharding(mesh, jax.P())


def put(tree: PyTree, where: jax.sharding.Sharding) -> PyTree:
  """Makes global arrays of host arrays that are equal in every process.

  Each process copies only the parts for its own devices. As with
  `jax.device_put`, do not write to the arrays afterwards.

  Args:
    tree: A tree of host arrays.
    where: The sharding, over the devices of any number of processes.

  Returns:
    The tree of global arrays.
  """

  def put_array(x: Any) -> jax.Array:
    x = np.asarray(x)
    return jax.make_array_from_callback(x.shape, where, lambda i: x[i])

  # This transfer is explicit, but jax classifies it as implicit.
  with jax.transfer_guard_host_to_device("allow"):
    return jax.tree.map(put_array, tree)


def local_rows(mesh: Mesh, batch_size: int) -> list[int]:
  """Returns the rows of a batch that lie on devices of this process.

  They are no block where the order of a mesh interleaves processes: on a slice
  of sixteen v5e chips, process 0 has the chips 0, 1, 6 and 15 of the mesh.

  Args:
    mesh: The data mesh.
    batch_size: Rows of a batch, of all processes.

  Returns:
    Their numbers, rising.

  Raises:
    ValueError: If the devices cannot share the batch equally.
  """
  check_divides(batch_size, mesh.size, "a batch sharded")
  own = [x.process_index == jax.process_index() for x in mesh.devices.flat]
  return np.flatnonzero(np.repeat(own, batch_size // mesh.size)).tolist()


def put_rows(tree: PyTree, mesh: Mesh) -> PyTree:
  """Makes global arrays of the rows of each process.

  Args:
    tree: A tree of host arrays, `[rows, ...]`: those of `local_rows`.
    mesh: The data mesh.

  Returns:
    The tree of global arrays, `[batch, ...]`, sharded over the mesh.

  Raises:
    ValueError: If the devices cannot share the rows equally.
  """

  def put_array(x: np.ndarray) -> jax.Array:
    batch_size = len(x) * jax.process_count()
    rows = local_rows(mesh, batch_size)

    def part(index: Any) -> np.ndarray:
      start, stop, _ = index[0].indices(batch_size)
      first = rows.index(start)
      return x[first : first + stop - start]

    return jax.make_array_from_callback(
      (batch_size, *x.shape[1:]), sharded(mesh), part
    )

  with jax.transfer_guard_host_to_device("allow"):
    return jax.tree.map(put_array, tree)


def check_divides(batch_size: int, parts: int, what: str) -> None:
  """Raises ValueError unless a batch divides into equal parts."""
  if batch_size % parts:
    raise ValueError(
      f"{what} must divide into {parts} equal parts, got "
      f"{batch_size} examples: use a multiple of {parts}."
    )
