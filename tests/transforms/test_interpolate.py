"""Tests of the arithmetic of mixup, with plans built by hand."""

import chex
import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mixup_jax import losses
from mixup_jax import transforms

DTYPES = (jnp.float32, jnp.bfloat16, jnp.float16)
SHAPES = st.lists(st.integers(1, 4), max_size=3).map(tuple)


def hand_made(lam=0.25):
  return transforms.Mix(jnp.float32(lam), jnp.asarray([2, 0, 1]))


def test_mix_pairs_equals_arithmetic_by_hand():
  x = jnp.asarray([[0.0, 4.0], [8.0, 0.0], [16.0, 8.0]])
  expected = jnp.asarray([[12.0, 7.0], [2.0, 3.0], [10.0, 2.0]])
  chex.assert_trees_all_equal(transforms.mix_pairs(x, hand_made()), expected)


def test_mix_pairs_takes_a_weight_for_each_example():
  mix = hand_made()._replace(lam=jnp.asarray([1.0, 0.0, 0.5]))
  x = jnp.asarray([[1.0], [2.0], [4.0]])
  expected = jnp.asarray([[1.0], [1.0], [3.0]])
  chex.assert_trees_all_equal(transforms.mix_pairs(x, mix), expected)


@hypothesis.settings(max_examples=15)
@hypothesis.given(
  shape=SHAPES,
  dtype=st.sampled_from(DTYPES),
  batch=st.sampled_from((2, 3, 8)),
  seed=st.integers(0, 10**6),
  per_example=st.booleans(),
)
def test_mix_pairs_is_convex_and_keeps_shape_and_dtype(
  shape, dtype, batch, seed, per_example
):
  key, x_key = jax.random.split(jax.random.key(seed))
  x = jax.random.normal(x_key, (batch, *shape)).astype(dtype)
  mix = transforms.sample_mix(key, batch, alpha=1.0, per_example=per_example)
  mixed = jax.jit(transforms.mix_pairs)(x, mix)
  chex.assert_equal_shape([x, mixed])
  chex.assert_type(mixed, dtype)
  # NumPy from here on: jax would compile for every new shape.
  x, mixed = (np.asarray(each).astype(np.float32) for each in (x, mixed))
  partner = x[np.asarray(mix.partner)]
  # A combination may leave the hull by the rounding of its own dtype.
  slack = 2 * np.abs(x).max() * float(jnp.finfo(dtype).eps)
  assert np.all(mixed >= np.minimum(x, partner) - slack)
  assert np.all(mixed <= np.maximum(x, partner) + slack)


@pytest.mark.parametrize("dtype", (jnp.float32, jnp.bfloat16))
@pytest.mark.parametrize("smoothing", (0.0, 0.1))
def test_mix_targets_of_ids_and_one_hot_have_one_loss_and_gradient(
  getkey, dtype, smoothing
):
  labels = jax.random.randint(getkey(), (64,), 0, 10)
  logits = (3 * jax.random.normal(getkey(), (64, 10))).astype(dtype)
  mix = transforms.sample_mix(getkey(), 64, alpha=1.0)
  ids = transforms.mix_targets(labels, mix)
  soft = transforms.mix_targets(jax.nn.one_hot(labels, 10), mix)

  def loss(logits, targets):
    return losses.cross_entropy(
      logits, targets, label_smoothing=smoothing
    ).mean()

  by_ids, by_soft = (jax.value_and_grad(loss)(logits, t) for t in (ids, soft))
  chex.assert_trees_all_close(by_ids[0], by_soft[0], rtol=1e-6)
  chex.assert_type(by_ids[1], dtype)
  # One rounding of the gradient to its dtype may fall to either side.
  tolerance = 2 * float(jnp.finfo(dtype).eps)
  chex.assert_trees_all_close(
    by_ids[1].astype(jnp.float32),
    by_soft[1].astype(jnp.float32),
    rtol=tolerance,
    atol=1e-8,
  )


def test_interpolate_at_weight_one_is_exact(getkey):
  x = jax.random.normal(getkey(), (5, 7))
  y = jax.random.normal(getkey(), (5, 7))
  chex.assert_trees_all_equal(transforms.interpolate(x, y, 1.0), x)
  chex.assert_trees_all_equal(transforms.interpolate(x, y, 0.0), y)


def test_interpolate_computes_bfloat16_in_float32():
  """257 needs 9 bits: bfloat16 arithmetic would lose the half steps."""
  x, y = jnp.asarray([256.0], jnp.bfloat16), jnp.asarray([4.0], jnp.bfloat16)
  lam = jnp.float32(0.999)
  expected = np.float32(0.999) * 256 + np.float32(1 - np.float32(0.999)) * 4
  chex.assert_trees_all_equal(
    transforms.interpolate(x, y, lam), jnp.asarray([expected], jnp.bfloat16)
  )


def test_interpolate_refuses_different_shapes():
  with pytest.raises(ValueError, match=r"shapes \(4, 2\) and \(3, 2\)"):
    transforms.interpolate(jnp.ones((4, 2)), jnp.ones((3, 2)), 0.5)


def test_mix_targets_returns_mixed_labels_for_class_ids_alone():
  labels = jnp.asarray([3, 1, 0])
  mixed = transforms.mix_targets(
    {"id": labels, "float": jnp.float32(labels)}, hand_made()
  )
  assert mixed["id"].labels.tolist() == [3, 1, 0]
  assert mixed["id"].partner_labels.tolist() == [0, 3, 1]
  chex.assert_trees_all_equal(mixed["id"].lam, jnp.full(3, 0.25))  # Of each.
  chex.assert_trees_all_equal(mixed["float"], jnp.asarray([0.75, 2.5, 0.75]))


@pytest.mark.parametrize("per_example", (False, True))
def test_mix_targets_of_several_labels_have_the_loss_of_both(
  getkey, per_example
):
  """Binary cross-entropy is linear in them, as cross-entropy is."""
  labels = jax.random.bernoulli(getkey(), 0.4, (8, 5)).astype(jnp.float32)
  logits = 3 * jax.random.normal(getkey(), (8, 5))
  mix = transforms.sample_mix(getkey(), 8, alpha=1.0, per_example=per_example)
  lam = jnp.broadcast_to(mix.lam, (8,))[:, None]
  partner = np.asarray(labels)[mix.partner]
  p = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
  own, other = (
    -np.where(present, np.log(p), np.log(1 - p))
    for present in (np.asarray(labels) > 0, partner > 0)
  )
  loss = optax.sigmoid_binary_cross_entropy(
    logits, transforms.mix_targets(labels, mix)
  )
  np.testing.assert_allclose(loss, lam * own + (1 - lam) * other, rtol=1e-5)


def test_mixed_labels_soft_has_the_weights_of_both():
  mixed = transforms.mix_targets(jnp.asarray([3, 1, 3]), hand_made())
  expected = [[0, 0, 0, 1], [0, 0.25, 0, 0.75], [0, 0.75, 0, 0.25]]
  chex.assert_trees_all_equal(mixed.soft(4), jnp.asarray(expected))


@pytest.mark.parametrize("bad", (jnp.nan, jnp.inf))
def test_interpolate_at_weight_one_does_not_depend_on_the_partner(bad):
  own, other = jnp.array([[1.0], [2.0]]), jnp.array([[bad], [4.0]])
  lam = jnp.array([1.0, 0.5])
  mixed, gradient = jax.value_and_grad(
    lambda own, lam: transforms.interpolate(own, other, lam).sum(),
    argnums=(0, 1),
  )(own, lam)
  assert mixed == 1 + 3
  chex.assert_trees_all_equal(gradient[0], lam[:, None])
  chex.assert_tree_all_finite(gradient)


def test_mixed_labels_soft_is_nan_where_an_id_is_out_of_range():
  mixed = transforms.MixedLabels(
    jnp.array([0, 3]), jnp.array([1, 0]), jnp.array([0.5, 0.5])
  )
  soft = mixed.soft(3)
  chex.assert_trees_all_equal(soft[0], jnp.array([0.5, 0.5, 0]))
  assert jnp.isnan(soft[1]).all()
