"""Tests of the losses for every kind of label."""

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


def draw(getkey, shape=(6,), classes=5):
  logits = jax.random.normal(getkey(), (*shape, classes))
  labels = jax.random.randint(getkey(), shape, 0, classes)
  return logits, labels


@pytest.mark.parametrize("shape", [(), (6,), (4, 3, 2)])
@pytest.mark.parametrize("smoothing", (0.0, 0.2))
def test_cross_entropy_of_ids_and_soft_targets_equals_optax(
  getkey, shape, smoothing
):
  logits, labels = draw(getkey, shape)
  soft = optax.smooth_labels(jax.nn.one_hot(labels, 5), smoothing)
  expected = optax.softmax_cross_entropy(logits, soft)
  by_ids = losses.cross_entropy(logits, labels, label_smoothing=smoothing)
  one_hot = jax.nn.one_hot(labels, 5)
  by_soft = losses.cross_entropy(logits, one_hot, label_smoothing=smoothing)
  chex.assert_shape([by_ids, by_soft], shape)
  chex.assert_trees_all_close(by_ids, expected, rtol=1e-5, atol=1e-6)
  chex.assert_trees_all_close(by_soft, expected, rtol=1e-5, atol=1e-6)


@hypothesis.settings(max_examples=15)
@hypothesis.given(lam=st.floats(0, 1, width=32), seed=st.integers(0, 10**6))
def test_cross_entropy_of_mixed_labels_is_the_weighted_sum(lam, seed):
  keys = jax.random.split(jax.random.key(seed), 3)
  logits = 5 * jax.random.normal(keys[0], (7, 4))
  ids = [jax.random.randint(key, (7,), 0, 4) for key in keys[1:]]
  mixed = transforms.MixedLabels(*ids, jnp.float32(lam))
  own, other = (losses.cross_entropy(logits, labels) for labels in ids)
  chex.assert_trees_all_close(
    losses.cross_entropy(logits, mixed),
    lam * own + (1 - lam) * other,
    rtol=1e-6,
  )


def test_cross_entropy_of_a_segmentation_takes_one_weight_per_example(getkey):
  logits, labels = draw(getkey, (3, 2, 2))
  mixed = transforms.MixedLabels(
    labels, labels[::-1], jnp.asarray([0.0, 0.5, 1.0])
  )
  loss = losses.cross_entropy(logits, mixed)
  chex.assert_shape(loss, (3, 2, 2))
  chex.assert_trees_all_close(
    loss, losses.cross_entropy(logits, mixed.soft(5)), rtol=1e-5
  )


def test_cross_entropy_of_large_logits_keeps_their_digits():
  logits = jnp.asarray([[1e4, 1e4 + 1.0, 1e4 - 2.0]])
  exact = -np.log(np.exp(-1.0) / np.exp([-1.0, 0.0, -3.0]).sum())
  loss = losses.cross_entropy(logits, jnp.asarray([0]))
  chex.assert_trees_all_close(
    loss, jnp.asarray([exact], jnp.float32), rtol=1e-6
  )


def test_cross_entropy_of_half_precision_logits_is_in_float32(getkey):
  logits, labels = draw(getkey)
  half = logits.astype(jnp.bfloat16)
  loss = losses.cross_entropy(half, labels)
  chex.assert_type(loss, jnp.float32)
  chex.assert_trees_all_equal(
    loss, losses.cross_entropy(half.astype(jnp.float32), labels)
  )


def test_cross_entropy_gradient_is_probability_minus_target(getkey):
  logits, labels = draw(getkey)
  mixed = transforms.MixedLabels(labels, labels[::-1], jnp.float32(0.3))
  gradient = jax.grad(lambda x: losses.cross_entropy(x, mixed).sum())(logits)
  chex.assert_trees_all_close(
    gradient, jax.nn.softmax(logits) - mixed.soft(5), atol=1e-6
  )


def test_cross_entropy_of_a_class_out_of_range_is_nan():
  loss = losses.cross_entropy(jnp.zeros((1, 3)), jnp.asarray([3]))
  assert jnp.isnan(loss).all()


@pytest.mark.parametrize(
  "targets, message",
  [
    (jnp.zeros((4, 3), jnp.int32), "one-hot targets as floats"),
    (jnp.zeros((5,), jnp.int32), r"class ids of shape \(5,\) do not match"),
    (jnp.zeros((4, 2)), r"soft targets of shape \(4, 2\) do not match"),
    (jnp.zeros((4,)), "one number per class"),
  ],
)
def test_cross_entropy_refuses_shapes_that_do_not_match(targets, message):
  with pytest.raises(ValueError, match=message):
    losses.cross_entropy(jnp.zeros((4, 3)), targets)


@pytest.mark.parametrize("smoothing", (-0.1, 1.1, float("nan")))
def test_cross_entropy_refuses_wrong_smoothing(smoothing):
  with pytest.raises(ValueError, match=f"from 0 to 1, got {smoothing}"):
    losses.cross_entropy(
      jnp.zeros((4, 3)), jnp.zeros(4, jnp.int32), label_smoothing=smoothing
    )


def test_zero_one_of_every_kind_of_label(getkey):
  logits, labels = draw(getkey, (40,))
  wrong = (logits.argmax(-1) != labels).astype(jnp.float32)
  assert 0 < wrong.sum() < 40
  chex.assert_trees_all_equal(losses.zero_one(logits, labels), wrong)
  one_hot = jax.nn.one_hot(labels, 5)
  chex.assert_trees_all_equal(losses.zero_one(logits, one_hot), wrong)
  mixed = transforms.MixedLabels(labels, labels[::-1], jnp.float32(0.7))
  other = (logits.argmax(-1) != labels[::-1]).astype(jnp.float32)
  chex.assert_trees_all_close(
    losses.zero_one(logits, mixed), 0.7 * wrong + 0.3 * other, rtol=1e-6
  )
  chex.assert_trees_all_close(
    losses.zero_one(logits, mixed.soft(5)),
    losses.zero_one(logits, mixed),
    rtol=1e-5,
  )


def test_zero_one_refuses_shapes_that_do_not_match():
  with pytest.raises(ValueError, match="class ids of shape .* do not match"):
    losses.zero_one(jnp.zeros((3, 2)), jnp.zeros((4,), jnp.int32))
