"""The data mesh, and the placement of host arrays on it."""

import functools
from typing import Any, Sequence

import jax
import numpy as np

PyTree = Any
Mesh = jax.sharding.Mesh

AXIS = "data"


def make_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
  """Returns a one-axis mesh, "data", over all devices or the given ones."""
  devices = jax.devices() if devices is None else devices
  # Explicit axes, the default, forbid x[partner] on a sharded batch.
  return jax.make_mesh(
    (len(devices),),
    (AXIS,),
    axis_types=(jax.sharding.AxisType.Auto,),
    devices=devices,
  )


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


def put_rows(tree: PyTree, mesh: Mesh) -> PyTree:
  """Makes global arrays of the rows of each process.

  Args:
    tree: A tree of host arrays, `[rows, ...]`. The rows of process 0 are the
      first of the batch, those of process 1 follow, and so on.
    mesh: The data mesh.

  Returns:
    The tree of global arrays, `[batch, ...]`, sharded over the mesh.

  Raises:
    ValueError: If the devices cannot share the rows equally.
  """
  for x in jax.tree.leaves(tree):
    check_divides(len(x) * jax.process_count(), mesh.size, "a batch sharded")
  with jax.transfer_guard_host_to_device("allow"):
    return jax.tree.map(
      functools.partial(jax.make_array_from_process_local_data, sharded(mesh)),
      tree,
    )


def check_divides(batch_size: int, parts: int, what: str) -> None:
  """Raises ValueError unless a batch divides into equal parts."""
  if batch_size % parts:
    raise ValueError(
      f"{what} must divide into {parts} equal parts, got "
      f"{batch_size} examples: use a multiple of {parts}."
    )
