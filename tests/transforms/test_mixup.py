"""Tests of mixup with every kind of input, target and key."""

import chex
import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms


def test_mixup_normalize_fetches_bytes_and_mixes_floats(getkey):
  images = jax.random.bits(getkey(), (4, 2, 2, 3), jnp.uint8)
  labels = jnp.arange(4, dtype=jnp.int32)

  def normalize(x):
    return x.astype(jnp.float32) / 255 - 0.5

  fetched = []

  def partner(tree):
    fetched.append(tree.dtype)
    return jnp.roll(tree, 1, axis=0)

  key = getkey()
  options = {"alpha": 1.0, "partner": partner}
  expected = transforms.mixup(
    jax.random.clone(key), normalize(images), labels, **options
  )
  fetched.clear()
  mixed = transforms.mixup(key, images, labels, normalize=normalize, **options)
  chex.assert_trees_all_equal(mixed, expected)
  assert fetched == [jnp.uint8, jnp.int32]


@hypothesis.settings(max_examples=15)
@hypothesis.given(
  batch=st.sampled_from((2, 3, 8)),
  classes=st.integers(2, 6),
  seed=st.integers(0, 10**6),
  per_example=st.booleans(),
)
def test_mixup_of_ids_equals_mixup_of_one_hot_labels(
  batch, classes, seed, per_example
):
  key, label_key, x_key = jax.random.split(jax.random.key(seed), 3)
  labels = jax.random.randint(label_key, (batch,), 0, classes)
  x = jax.random.normal(x_key, (batch, 2))
  options = {"alpha": 1.0, "per_example": per_example}
  same = jax.random.clone(key)
  mixed_x, mixed = transforms.mixup(key, x, labels, **options)
  soft_x, soft = transforms.mixup(
    same, x, jax.nn.one_hot(labels, classes), **options
  )
  chex.assert_trees_all_equal(mixed_x, soft_x)
  chex.assert_trees_all_close(mixed.soft(classes), soft, atol=1e-7)
  chex.assert_trees_all_close(soft.sum(-1), jnp.ones(batch), atol=1e-6)


def test_mixup_takes_every_kind_of_target_at_once(getkey):
  targets = {
    "id": jnp.asarray([0, 1, 2]),
    "one_hot": jnp.eye(3),
    "multi_label": jnp.asarray([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]),
    "regression": jnp.asarray([1.0, -2.0, 5.0]),
    "pixels": jnp.zeros((3, 2, 2), jnp.int32),
  }
  inputs = (jnp.ones((3, 2)), {"image": jnp.ones((3, 4, 4, 1), jnp.bfloat16)})
  mixed_inputs, mixed = transforms.mixup(getkey(), inputs, targets, alpha=1.0)
  chex.assert_trees_all_equal_shapes_and_dtypes(mixed_inputs, inputs)
  assert isinstance(mixed["id"], transforms.MixedLabels)
  chex.assert_shape(mixed["pixels"].soft(4), (3, 2, 2, 4))
  for name in ("one_hot", "multi_label", "regression"):
    chex.assert_equal_shape([mixed[name], targets[name]])
  lam = mixed["id"].lam
  partner = mixed["id"].partner_labels
  expected = (
    lam * targets["regression"] + (1 - lam) * targets["regression"][partner]
  )
  chex.assert_trees_all_close(mixed["regression"], expected, rtol=1e-6)


def test_mixup_inputs_and_targets_share_the_plan(getkey):
  labels = jnp.arange(8)
  x, targets = transforms.mixup(
    getkey(), jax.nn.one_hot(labels, 8), labels, alpha=1.0, per_example=True
  )
  chex.assert_trees_all_close(x, targets.soft(8), atol=1e-7)


def test_mixup_takes_numpy_arrays(getkey):
  x, y = np.ones((4, 2), np.float32), np.arange(4)
  mixed, targets = transforms.mixup(getkey(), x, y, alpha=0.2)
  chex.assert_shape(mixed, (4, 2))
  chex.assert_shape(targets.partner_labels, (4,))


def test_mixup_traces_once_for_every_key_and_alpha(getkey):
  mix = jax.jit(
    chex.assert_max_traces(
      lambda key, alpha, x, y: transforms.mixup(key, x, y, alpha=alpha), n=1
    )
  )
  for alpha in (0.0, 0.2, 1.0):
    x, _ = mix(getkey(), jnp.float32(alpha), jnp.ones((4, 2)), jnp.arange(4))
    chex.assert_shape(x, (4, 2))


@pytest.mark.parametrize(
  "x, y, error, message",
  [
    (
      jnp.ones((4, 2), jnp.uint8),
      jnp.arange(4),
      TypeError,
      r"uint8 values of shape \(4, 2\): convert inputs to floats",
    ),
    (
      jnp.ones((4, 2)),
      jnp.ones((4, 3), bool),
      TypeError,
      "bool values .* multi-label targets to one float",
    ),
    (
      {"x": jnp.ones((4, 2, 3)), "mask": jnp.ones((4, 2), bool)},
      jnp.arange(4),
      TypeError,
      r"bool values of shape \(4, 2\) at \['mask'\]: .* by `mix_padded`",
    ),
    (
      {"image": jnp.ones((4, 2)), "image_id": jnp.arange(4)},
      jnp.arange(4),
      TypeError,
      r"int32 .* at \['image_id'\]: .* of examples, belong in `targets`",
    ),
    (
      jnp.ones((4, 2)),
      jnp.arange(5),
      ValueError,
      r"batch axis, got the shapes inputs \(4, 2\), targets \(5,\) \(",
    ),
    (jnp.ones((4, 2)), jnp.float32(1), ValueError, "leading batch axis"),
    ((), (), ValueError, "leading batch axis"),
    (
      jnp.ones((1, 2)),
      jnp.arange(1),
      ValueError,
      "at least two examples, got a batch of 1",
    ),
  ],
)
def test_mixup_errors_name_the_value_and_the_remedy(
  getkey, x, y, error, message
):
  with pytest.raises(error, match=message):
    transforms.mixup(getkey(), x, y, alpha=1.0)


@pytest.mark.parametrize("per_example", (False, True))
def test_mixup_refuses_mixed_labels(getkey, per_example):
  x, y = transforms.mixup(
    getkey(),
    jnp.ones((4, 2)),
    jnp.arange(4),
    alpha=1.0,
    per_example=per_example,
  )
  with pytest.raises((TypeError, ValueError), match="mixed already"):
    transforms.mixup(getkey(), x, y, alpha=1.0)


@pytest.mark.parametrize("enabled", (True, False))
def test_mixup_returns_rows_of_examples_as_pairs(getkey, enabled):
  """Strings stay outside: they are looked up by the rows of the pair."""
  names = np.array([b"a.png", b"b.png", b"c.png", b"d.png"])
  row = jnp.arange(4, dtype=jnp.int32)
  mixed, targets = jax.jit(transforms.mixup, static_argnames="alpha")(
    getkey(),
    jnp.eye(4),
    {"label": row % 2, "row": row},
    alpha=1.0,
    enabled=enabled,
  )
  own, partner, lam = targets["row"]
  assert names[own].tolist() == names.tolist()
  assert sorted(names[partner].tolist()) == names.tolist()
  weights = (
    lam[:, None] * jnp.eye(4)[own] + (1 - lam)[:, None] * (jnp.eye(4)[partner])
  )
  chex.assert_trees_all_close(mixed, weights, atol=1e-7)
