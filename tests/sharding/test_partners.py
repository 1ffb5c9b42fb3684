"""Tests of the partner policies, and of what they cost on 8 devices."""

import functools
import re

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax import transforms

BATCH = 128
COLLECTIVES = (
  "all-gather",
  "all-to-all",
  "collective-permute",
  "all-reduce",
  "reduce-scatter",
  "collective-broadcast",
)
mixup = functools.partial(transforms.mixup, alpha=1.0)


@pytest.fixture(scope="module")
def mesh():
  mesh = sharding.make_mesh()
  assert mesh.size == 8
  return mesh


def collectives(transform, mesh) -> dict[str, list[int]]:
  """Returns the sizes of the results of each kind of collective."""
  images = jax.ShapeDtypeStruct(
    (BATCH, 8, 8, 3), jnp.float32, sharding=sharding.sharded(mesh)
  )
  labels = jax.ShapeDtypeStruct(
    (BATCH,), jnp.int32, sharding=sharding.sharded(mesh)
  )
  key = jax.eval_shape(lambda: jax.random.key(0))
  text = jax.jit(transform).lower(key, images, labels).compile().as_text()
  found: dict[str, list[int]] = {}
  pattern = rf"= (.*?) ({'|'.join(COLLECTIVES)})(?:-start)?\("
  for shapes, name in re.findall(pattern, text):
    size = sum(
      int(np.prod([int(d) for d in dims.split(",") if d]))
      for dims in re.findall(r"\w+\[([\d,]*)\]", shapes)
    )
    found.setdefault(name, []).append(size)
  return found


@functools.cache
def collectives_of(policy, mesh) -> dict[str, list[int]]:
  return collectives(sharding.with_partners(mixup, mesh, policy=policy), mesh)


@pytest.mark.parametrize(
  "policy, kinds",
  [
    ("local", set()),
    ("local_roll", set()),
    ("roll", {"collective-permute"}),
    ("all_to_all", {"all-to-all"}),
    ("global", {"all-gather"}),
  ],
)
def test_with_partners_uses_the_collectives_of_its_policy(mesh, policy, kinds):
  found = collectives_of(policy, mesh)
  assert set(found) == kinds
  # One exchange for the images, and one for the labels.
  assert all(len(sizes) == 2 for sizes in found.values())


def test_with_partners_costs_what_its_policy_states(mesh):
  """Counts the elements of images that arrive at a device."""

  def cost(policy):
    return max(sum(collectives_of(policy, mesh).values(), [0]))

  image, shard = 8 * 8 * 3, 8 * 8 * 3 * BATCH // 8
  assert cost("local") == cost("local_roll") == 0
  assert cost("roll") == image
  assert cost("all_to_all") == shard
  assert cost("global") == 8 * shard


def test_mixup_of_a_sharded_batch_gathers_as_the_global_policy(mesh):
  assert set(collectives(mixup, mesh)) == {"all-gather"}


def test_mixup_with_rolled_partner_rows_gathers(mesh):
  """This is why a policy returns a function, and not a vector of rows."""
  rolled = functools.partial(mixup, partner=transforms.rolled_partners(BATCH))
  assert "all-gather" in collectives(rolled, mesh)


@pytest.mark.parametrize(
  "transform",
  [
    mixup,
    functools.partial(transforms.cutmix, alpha=1.0, per_example=True),
    functools.partial(transforms.inputs_only, alpha=1.0),
  ],
  ids=["mixup", "cutmix", "inputs_only"],
)
def test_per_device_needs_no_collective(mesh, transform):
  assert not collectives(sharding.per_device(transform, mesh), mesh)


def test_with_partners_per_example_needs_no_collective(mesh):
  transform = functools.partial(mixup, per_example=True)
  local = sharding.with_partners(transform, mesh, policy="local")
  assert not collectives(local, mesh)


@pytest.mark.parametrize("policy", sharding.POLICIES)
def test_partners_are_a_permutation_that_inputs_and_labels_share(
  mesh, policy, getkey
):

  @jax.jit
  def fetch(key, tree):
    partner = sharding.partners(key, BATCH, mesh=mesh, policy=policy)
    return partner(tree), partner(tree)

  rows = jax.device_put(jnp.arange(BATCH), sharding.sharded(mesh))
  tree = {"rows": rows, "wide": jnp.broadcast_to(rows[:, None], (BATCH, 2))}
  first, second = fetch(getkey(), tree)
  chex.assert_trees_all_equal(first, second)
  chex.assert_trees_all_equal(first["wide"][:, 1], first["rows"])
  chex.assert_trees_all_equal(np.sort(first["rows"]), np.arange(BATCH))
  shard = BATCH // 8
  crosses = np.asarray(first["rows"]) // shard != np.arange(BATCH) // shard
  expected = {
    "local": 0,
    "local_roll": 0,
    "roll": 8,
    "all_to_all": BATCH * 7 / 8,
    "global": BATCH * 7 / 8,
  }[policy]
  assert abs(crosses.sum() - expected) <= (12 if policy == "global" else 0)


def test_partners_all_to_all_are_nearly_uniform(mesh, getkey):

  @jax.jit
  def draw(key):
    rows = jnp.arange(64)
    return sharding.partners(key, 64, mesh=mesh, policy="all_to_all")(rows)

  draws = np.stack([draw(getkey()) for _ in range(600)])
  counts = np.bincount(draws[:, 0], minlength=64)
  assert counts.min() >= 1 and counts.max() < 30  # 600 / 64 = 9.4 on average.


def test_with_partners_draws_the_same_lambda_for_every_policy(mesh, getkey):
  key = getkey()
  x, y = jnp.eye(BATCH), jnp.arange(BATCH)
  lams = []
  for policy in sharding.POLICIES:
    transform = jax.jit(sharding.with_partners(mixup, mesh, policy=policy))
    mixed, targets = transform(jax.random.clone(key), x, y)
    chex.assert_trees_all_close(mixed, targets.soft(BATCH), atol=1e-7)
    lams.append(targets.lam)
  chex.assert_trees_all_equal(*lams)


def test_per_device_equals_the_transform_on_each_part(mesh, getkey):
  key = getkey()
  x = jax.random.normal(getkey(), (BATCH, 3))
  y = jnp.arange(BATCH)
  mixed, targets = jax.jit(sharding.per_device(mixup, mesh))(
    jax.random.clone(key), x, y
  )
  chex.assert_shape(targets.lam, (BATCH,))
  assert len(np.unique(targets.lam)) == 8
  size = BATCH // 8
  for index, part_key in enumerate(jax.random.split(key, 8)):
    rows = slice(index * size, (index + 1) * size)
    expected, labels = mixup(part_key, x[rows], y[rows])
    chex.assert_trees_all_close(mixed[rows], expected, rtol=1e-5, atol=1e-7)
    chex.assert_trees_all_equal(
      targets.partner_labels[rows], labels.partner_labels
    )


def gradient_problem(getkey):
  weights = jax.random.normal(getkey(), (12, 4))
  x = jax.random.normal(getkey(), (BATCH, 12))
  y = jax.random.randint(getkey(), (BATCH,), 0, 4)
  mixed = transforms.mixup(getkey(), x, y, alpha=1.0, per_example=True)

  def loss(w, x, t):
    return losses.cross_entropy(x @ w, t).mean()

  return weights, mixed, loss


def test_mixup_gradients_of_jit_pmap_and_shard_map_equal_one_device(
  mesh, getkey
):
  weights, (x, targets), loss = gradient_problem(getkey)
  expected = jax.grad(loss)(weights, x, targets)
  spread = jax.device_put((x, targets), sharding.sharded(mesh))
  by_jit = jax.jit(jax.grad(loss))(weights, *spread)

  def mean_loss(w, x, targets):
    return jax.lax.pmean(loss(w, x, targets), sharding.AXIS)

  rows = jax.P(sharding.AXIS)
  # grad(pmean(loss)): the other order is wrong by the number of devices.
  by_shard_map = jax.jit(
    jax.shard_map(
      jax.grad(mean_loss),
      mesh=mesh,
      in_specs=(jax.P(), rows, rows),
      out_specs=jax.P(),
    )
  )(weights, *spread)
  parts = jax.tree.map(lambda a: a.reshape((8, -1) + a.shape[1:]), (x, targets))
  by_pmap = jax.pmap(
    lambda w, x, t: jax.lax.pmean(jax.grad(loss)(w, x, t), sharding.AXIS),
    axis_name=sharding.AXIS,
    in_axes=(None, 0, 0),
  )(weights, *parts)[0]
  for gradient in (by_jit, by_shard_map, by_pmap):
    chex.assert_trees_all_close(gradient, expected, rtol=1e-5, atol=1e-7)


def test_with_partners_works_on_one_device(getkey):
  mesh = sharding.make_mesh(jax.devices()[:1])
  for policy in sharding.POLICIES:
    transform = sharding.with_partners(mixup, mesh, policy=policy)
    mixed, targets = jax.jit(transform)(getkey(), jnp.eye(8), jnp.arange(8))
    chex.assert_trees_all_close(mixed, targets.soft(8), atol=1e-7)


def test_partners_errors_name_the_value_and_the_remedy(mesh, getkey):
  with pytest.raises(ValueError, match="policy 'ring': choose one of local"):
    sharding.with_partners(mixup, mesh, policy="ring")
  with pytest.raises(ValueError, match="8 equal parts, got 12 .* multiple of"):
    sharding.partners(getkey(), 12, mesh=mesh, policy="local")
  with pytest.raises(ValueError, match="64 equal parts, got 72"):
    sharding.partners(getkey(), 72, mesh=mesh, policy="all_to_all")
  with pytest.raises(ValueError, match="got a batch of 1.*per device"):
    sharding.per_device(mixup, mesh)(getkey(), jnp.ones((8, 2)), jnp.arange(8))


def test_partners_local_roll_is_the_previous_row_of_the_device(mesh, getkey):
  rows = jax.device_put(jnp.arange(BATCH), sharding.sharded(mesh))
  fetch = jax.jit(
    lambda key, x: sharding.partners(
      key, BATCH, mesh=mesh, policy="local_roll"
    )(x)
  )
  expected = np.roll(np.arange(BATCH).reshape(8, -1), 1, axis=1).reshape(-1)
  chex.assert_trees_all_equal(fetch(getkey(), rows), expected)


@pytest.mark.parametrize("policy", sharding.POLICIES)
def test_with_partners_never_mixes_in_padding(getkey, mesh, policy):
  where = jnp.arange(BATCH) < BATCH - 5
  inputs = jnp.where(where, jnp.arange(BATCH, dtype=jnp.float32), 1e9)
  transform = sharding.with_partners(mixup, mesh, policy=policy)
  inputs, labels, where = sharding.put(
    (inputs, jnp.arange(BATCH), where), sharding.sharded(mesh)
  )
  mixed, _ = jax.jit(transform)(getkey(), inputs, labels, where=where)
  assert mixed[:-5].max() < BATCH
  assert (mixed[:-5] != inputs[:-5]).sum() > BATCH // 2
