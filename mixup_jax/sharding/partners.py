"""Partner policies on a data mesh, and what they cost.

A batch lies in blocks over the devices of a one-axis mesh. Fetching partners
from other devices moves data. The table lists what a device sends for a shard
of 1.5 MiB on 8 devices (a test counts the collectives of the compiled program):

    policy        collectives            sent        partners
    "local"       none                   0           any row of the same device
    "local_roll"  none                   0           the previous row of it
    "roll"        1 collective-permute   1 row       the previous row
    "all_to_all"  1 all-to-all           1.3 MiB     nearly any row
    "global"      1 all-gather           10.5 MiB    any row, as on one device

If the loader shuffles globally, the pairs of the first three policies are as
random as those of "global". Rolling needs no gather: on a chip, "local_roll"
moves fewer bytes than "local", and it pairs no row with itself.
"""

import functools
from typing import Any, Callable

import jax
import jax.numpy as jnp

from mixup_jax import transforms
from mixup_jax.sharding.mesh import AXIS
from mixup_jax.sharding.mesh import check_divides
from mixup_jax.sharding.mesh import Mesh
from mixup_jax.sharding.mesh import sharded

Array = jax.Array
PyTree = Any
Transform = Callable[..., tuple[PyTree, PyTree]]

POLICIES = ("local", "local_roll", "roll", "all_to_all", "global")


def per_device(transform: Transform, mesh: Mesh) -> Transform:
  """Applies a transform to the rows of each device separately.

  No data moves between devices. Each device draws its own lam, as when every
  worker of a synchronous data-parallel run mixes its own minibatch; use
  `with_partners(transform, mesh, policy="local")` to share one.

  Args:
    transform: A transform, or a plain function `(key, inputs, targets) ->
      (inputs, targets)`.
    mesh: The data mesh.

  Returns:
    A transform of the whole batch, for use under `jit`. Results without a batch
    axis, one per device, are returned as `[batch]`. It raises ValueError for a
    batch that the devices cannot share equally, and TypeError if the transform
    mixes hidden layers.
  """
  own = transforms.as_transform(transform)

  def grouped(
    key: Array,
    inputs: PyTree,
    targets: PyTree,
    *,
    where: Array | None = None,
    enabled: jax.typing.ArrayLike = True,
  ) -> tuple[PyTree, PyTree]:
    keys = jax.random.split(key, mesh.size)
    given = (inputs, targets, where)
    groups = jax.tree.map(lambda x: _split_rows(x, mesh), given)

    def mix(
      k: Array, x: PyTree, y: PyTree, valid: Any
    ) -> tuple[PyTree, PyTree]:
      return own(k, x, y, where=valid, enabled=enabled)

    mixed = jax.vmap(mix)(keys, *groups)
    if isinstance(mixed[0], transforms.HiddenMix):
      raise TypeError(
        "per_device cannot mix hidden layers: use "
        'with_partners(manifold, mesh, policy="local").'
      )
    size = jax.tree.leaves(groups)[0].shape[1]
    return jax.tree.map(lambda x: _join_rows(x, size, mesh), mixed)

  return grouped


def with_partners(
  transform: Transform, mesh: Mesh, *, policy: str = "local"
) -> Transform:
  """Returns a mixing transform whose partners follow a policy.

  Args:
    transform: A transform that takes `partner`, such as
      `functools.partial(mixup, alpha=0.2)`.
    mesh: The data mesh.
    policy: One of `POLICIES`.

  Returns:
    A transform with the options of the given one, for use under `jit` on a
    batch of global arrays.

  Raises:
    ValueError: If the policy is unknown.
  """
  _check_policy(policy)

  @functools.wraps(transform)  # It takes the options of the transform.
  def paired(
    key: Array, inputs: PyTree, targets: PyTree, **options: Any
  ) -> tuple[PyTree, PyTree]:
    transform_key, partner_key = jax.random.split(key)
    batch_size = jax.tree.leaves(inputs)[0].shape[0]
    partner = partners(partner_key, batch_size, mesh=mesh, policy=policy)
    return transform(transform_key, inputs, targets, partner=partner, **options)

  return paired


def partners(
  key: Array, batch_size: int, *, mesh: Mesh, policy: str
) -> Callable[[PyTree], PyTree]:
  """Draws partners for a sharded batch.

  Args:
    key: A typed PRNG key, consumed.
    batch_size: The number of examples over all devices.
    mesh: The data mesh.
    policy: One of `POLICIES`.

  Returns:
    A function that maps any tree of `[batch, ...]` arrays to the rows of the
    partners. It applies the same permutation at each call.

  Raises:
    ValueError: If the policy is unknown, the batch does not divide among the
      devices as the policy needs, or every example would be its own partner.
  """
  check_pairable(batch_size, mesh=mesh, policy=policy)
  if policy == "global":
    order = jax.random.permutation(key, batch_size)

    def fetch(x: Array) -> Array:
      return x[order]
  elif policy == "roll":
    # A traced shift would send 25 MiB; this static one sends one row.
    fetch = functools.partial(jnp.roll, shift=1, axis=0)
  elif policy == "local_roll":

    def fetch(x: Array) -> Array:
      return _roll_locally(x, mesh)
  elif policy == "local":
    order = _local_orders(key, batch_size, mesh)

    def fetch(x: Array) -> Array:
      return _permute_locally(x, order, mesh)
  else:
    before, after = (
      _local_orders(k, batch_size, mesh) for k in jax.random.split(key)
    )
    check_divides(batch_size, mesh.size**2, "all_to_all partners")

    def fetch(x: Array) -> Array:
      return _permute_locally(
        _swap_blocks(_permute_locally(x, before, mesh), mesh), after, mesh
      )

  return functools.partial(jax.tree.map, fetch)


def _local_orders(key: Array, batch_size: int, mesh: Mesh) -> Array:
  """Draws `[devices, rows]`, one permutation per device."""
  check_divides(batch_size, mesh.size, "a batch sharded")
  rows = batch_size // mesh.size
  keys = jax.random.split(key, mesh.size)
  orders = jax.vmap(lambda k: jax.random.permutation(k, rows))(keys)
  return jax.lax.with_sharding_constraint(orders, sharded(mesh))


def _permute_locally(x: Array, orders: Array, mesh: Mesh) -> Array:
  """Permutes the rows within each device."""
  permuted = jax.vmap(lambda rows, order: rows[order])(
    _split_rows(x, mesh), orders
  )
  return _join_rows(permuted, orders.shape[1], mesh)


def _roll_locally(x: Array, mesh: Mesh) -> Array:
  """Rolls the rows by one within each device."""
  rows = x.shape[0] // mesh.size
  return _join_rows(jnp.roll(_split_rows(x, mesh), 1, axis=1), rows, mesh)


def _swap_blocks(x: Array, mesh: Mesh) -> Array:
  """Sends the i-th part of each device's rows to the i-th device."""

  @functools.partial(
    jax.shard_map, mesh=mesh, in_specs=jax.P(AXIS), out_specs=jax.P(AXIS)
  )
  def swap(rows: Array) -> Array:
    return jax.lax.all_to_all(rows, AXIS, 0, 0, tiled=True)

  return swap(x)


def _split_rows(x: Array, mesh: Mesh) -> Array:
  """Reshapes `[batch, ...]` to `[devices, rows, ...]` without moving data."""
  check_divides(x.shape[0], mesh.size, "a batch sharded")
  x = x.reshape((mesh.size, x.shape[0] // mesh.size) + x.shape[1:])
  return jax.lax.with_sharding_constraint(x, sharded(mesh))


def _join_rows(x: Array, size: int, mesh: Mesh) -> Array:
  """Undoes `_split_rows`; repeats one value per device for each of its rows."""
  if x.ndim == 1:
    x = jnp.broadcast_to(x[:, None], (x.shape[0], size))
  x = x.reshape((x.shape[0] * x.shape[1],) + x.shape[2:])
  return jax.lax.with_sharding_constraint(x, sharded(mesh))


def check_pairable(batch_size: int, *, mesh: Mesh, policy: str) -> None:
  """Raises ValueError if a policy would pair every example with itself.

  With one example per device, "local" and "local_roll" have no other partner:
  mixup would silently be ERM.

  Args:
    batch_size: The number of examples of a step, over all devices.
    mesh: The data mesh.
    policy: One of `POLICIES`.
  """
  _check_policy(policy)
  if policy in ("local", "local_roll") and batch_size <= mesh.size:
    raise ValueError(
      f"{policy!r} partners need two examples per device, but a step has "
      f"{batch_size} examples on {mesh.size} devices: every example would be "
      "its own partner. Use a larger batch, less accumulation, fewer devices, "
      'or partners="roll".'
    )


def _check_policy(policy: str) -> None:
  """Raises ValueError if the policy is unknown."""
  if policy not in POLICIES:
    raise ValueError(
      f"unknown partner policy {policy!r}: choose one of {', '.join(POLICIES)}."
    )
