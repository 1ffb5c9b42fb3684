"""Tests of the transform of each name in a config, and of its partners."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import mixing as configs
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.recipes import mixing
from tests.every_transform import row_an_example

BATCH, VALID, CLASSES = 64, 37, 4
MESH = sharding.make_mesh()
each_name = pytest.mark.parametrize("name", mixing.TRANSFORMS)
# Those that take partners from a policy.
PAIRED = (
  "mixup",
  "cutmix",
  "mixup_or_cutmix",
  "resizemix",
  "fmix",
  "regmixup",
  "manifold",
  "inputs_only",
  "inputs_with_smoothing",
)
# Those whose targets are class ids.
HARD = ("inputs_only", "inputs_only_same_class", "gaussian_noise")


def mix(name="mixup", **changes):
  values = configs.get_mix(alpha=1.0, name=name)
  values.update(changes)
  return values


def make(values, partners="global", batch_size=BATCH, mesh=MESH):
  return mixing.transform(
    values,
    num_classes=CLASSES,
    batch_size=batch_size,
    partners=partners,
    mesh=mesh,
  )


def batch(getkey):
  """Returns images and labels on all devices, and a mask of the valid rows.

  Padding is NaN, and of a class of its own.
  """
  where = jnp.arange(BATCH) < VALID
  images = jax.random.normal(getkey(), (BATCH, 8, 8, 1))
  images = jnp.where(where[:, None, None, None], images, jnp.nan)
  labels = jnp.where(where, jnp.arange(BATCH, dtype=jnp.int32) % CLASSES, -1)
  return jax.device_put((images, labels, where), sharding.sharded(MESH))


def applied(values, partners="global"):
  """Returns a transform under `jit`; what is mixed hidden, at every depth."""
  transform = make(values, partners)

  @jax.jit
  def run(key, images, labels, options):
    inputs, targets = transform(key, images, labels, **options)
    if isinstance(inputs, transforms.HiddenMix):
      hook, inputs = inputs.hook, inputs.inputs
      for depth in range(3):
        inputs = hook(depth, inputs)
    return row_an_example(inputs, targets)

  return lambda *args, **options: jax.device_get(run(*args, options))


@each_name
def test_transform_of_every_name_keeps_padding_out_and_switches_off(
  getkey, name
):
  images, labels, where = batch(getkey)
  run = applied(mix(name))
  given = images, labels
  mixed, targets = run(getkey(), *given, where=where, enabled=jnp.bool(True))
  off, own = run(getkey(), *given, where=where, enabled=jnp.bool(False))
  images, labels, _ = (np.asarray(x)[:VALID] for x in (*given, where))
  np.testing.assert_array_equal(off[:VALID], images)
  np.testing.assert_allclose(soft(own), np.eye(CLASSES)[labels])
  assert np.isfinite(mixed[:VALID]).all()  # Nothing of the padding is in it.
  assert (mixed[:VALID] != images).any() == (name != "label_smoothing")
  found = soft(targets)
  np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
  if "smoothing" in name:
    np.testing.assert_allclose(np.sort(found)[:, :-1], 0.1 / CLASSES, rtol=1e-5)
  elif name in HARD:
    assert targets.dtype == jnp.int32
  else:
    assert isinstance(targets, transforms.MixedLabels)
    assert (targets.lam[:VALID] < 1).any()
  if name in ("label_smoothing", "gaussian_noise", "inputs_only_same_class"):
    np.testing.assert_array_equal(found.argmax(axis=1), labels)


def soft(targets):
  """Returns targets of valid examples as numbers a class.

  Class ids of padding, which are none, would be rows of NaN.
  """
  if isinstance(targets, transforms.MixedLabels):
    targets = jax.tree.map(jnp.asarray, targets).soft(CLASSES)
  elif targets.ndim == 1:
    targets = jax.nn.one_hot(targets, CLASSES)
  return np.asarray(targets)[:VALID]


@pytest.mark.parametrize(
  "name, policy",
  [(name, "roll") for name in PAIRED]
  + [("mixup", policy) for policy in sharding.POLICIES if policy != "roll"]
  + [("mixup_or_cutmix", "all_to_all")],  # Collectives of a branch.
)
def test_transform_draws_partners_by_the_policy(getkey, name, policy):
  """An example's row is its label, so that a partner's label is its row."""
  images, _, _ = batch(getkey)
  images = jnp.nan_to_num(images)
  rows = np.arange(BATCH, dtype=np.int32)
  values = mix(name, alpha=100.0, layers=(0,))
  if "inputs" in name:  # Labels do not show the partner, but inputs do.
    images = jnp.zeros_like(images) + jnp.float32(rows)[:, None, None, None]
    values.alpha = jnp.inf  # So lam is 1/2.
    mixed, _ = applied(values, policy)(getkey(), images, rows % CLASSES)
    partner = np.rint(2 * mixed[:, 0, 0, 0] - rows).astype(int)
  else:
    _, targets = applied(values, policy)(getkey(), images, rows)
    partner = targets.partner_labels
  assert sorted(partner) == rows.tolist()
  device = rows // (BATCH // MESH.size)
  expected = {
    "roll": np.roll(rows, 1),
    "local_roll": np.roll(rows.reshape(MESH.size, -1), 1, axis=1).ravel(),
  }
  if policy in expected:
    np.testing.assert_array_equal(partner, expected[policy])
  else:
    own = device[partner] == device
    assert own.all() if policy == "local" else 0 < own.mean() < 0.5


@pytest.mark.parametrize("policy", sharding.POLICIES)
def test_transform_refuses_local_partners_of_one_image_a_device(policy):
  if policy in ("local", "local_roll"):
    with pytest.raises(
      ValueError, match=f"{policy}.* 8 examples on 8 devices.*a larger batch"
    ):
      make(mix(), policy, batch_size=MESH.size)
  else:
    make(mix(), policy, batch_size=MESH.size)
  make(mix(), policy, batch_size=2 * MESH.size)


def test_transform_mesh_has_all_devices_by_default():
  with pytest.raises(ValueError, match="8 examples on 8 devices"):
    make(mix(), "local", batch_size=8, mesh=None)


@pytest.mark.parametrize(
  "changes, policy, message",
  [
    ({"name": "cutmixx"}, "global", "cutmixx.*mean 'cutmix'"),
    ({"alpha": -1.0}, "global", "alpha must be .* got -1"),
    ({}, "near", "unknown partner policy 'near'"),
  ],
)
def test_transform_refuses_bad_values(changes, policy, message):
  with pytest.raises(ValueError, match=message):
    make(mix(**changes), policy)


def test_transform_with_same_class_partners_keeps_the_labels(getkey):
  labels = jnp.arange(BATCH, dtype=jnp.int32) % CLASSES
  inputs = (
    jnp.zeros((BATCH, 2, 2, 1)) + jnp.float32(labels)[:, None, None, None]
  )
  run = applied(mix("inputs_only_same_class"))
  for key in jax.random.split(getkey(), 3):
    mixed, targets = run(key, inputs, labels)
    np.testing.assert_array_equal(targets, labels)
    np.testing.assert_allclose(mixed, inputs, rtol=1e-6)
  # Where the images of a class differ they are mixed.
  inputs += jnp.arange(float(BATCH))[:, None, None, None]
  mixed, _ = run(getkey(), inputs, labels)
  assert (mixed != inputs).any()
