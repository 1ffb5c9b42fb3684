"""Tests of the losses for every kind of label."""

import functools

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


VOID = 255


@pytest.mark.parametrize("kind", ("ids", "mixed", "both"))
@pytest.mark.parametrize("label_smoothing", (0.0, 0.2))
def test_losses_leave_void_pixels_out_of_sums_and_means(
  getkey, kind, label_smoothing
):
  """Each label of a pixel is left out on its own, as of two losses."""
  logits, labels = draw(getkey, (4, 3, 2))
  is_void = np.arange(24).reshape(4, 3, 2) % 5 == 0
  assert is_void.any() and not (is_void & is_void[::-1]).all()
  ids = np.where(is_void, VOID, labels).astype(np.uint8)
  loss_fn = functools.partial(
    losses.cross_entropy, label_smoothing=label_smoothing
  )
  own = np.where(is_void, 0, loss_fn(logits, jnp.asarray(labels)))
  other_ids, other_void = ids[::-1], is_void[::-1]
  other = np.where(other_void, 0, loss_fn(logits, jnp.asarray(labels[::-1])))
  lam = np.array([0.3, 1.0, 0.0, 0.5], np.float32)
  share = lam[:, None, None]
  mixed = transforms.MixedLabels(ids, other_ids, jnp.asarray(lam))
  mixed_loss = share * own + (1 - share) * other
  mixed_weight = share * ~is_void + (1 - share) * ~other_void
  targets, expected, weights = {
    "ids": (ids, own, 1.0 * ~is_void),
    "mixed": (mixed, mixed_loss, mixed_weight),
    "both": (
      transforms.CleanAndMixed(ids, mixed, 0.5 * jnp.ones(4)),
      own + 0.5 * mixed_loss,
      ~is_void + 0.5 * mixed_weight,
    ),
  }[kind]
  if kind == "both":
    logits = jnp.repeat(logits, 2, axis=0)
  loss = loss_fn(logits, targets, ignore=VOID)
  np.testing.assert_allclose(loss, expected, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(
    losses.label_weights(targets, ignore=VOID), weights, rtol=1e-6
  )
  wrong = losses.zero_one(logits, targets, ignore=VOID)
  assert np.isfinite(wrong).all()
  if kind == "ids":
    np.testing.assert_array_equal(wrong[is_void], 0)
    # Another id out of range still is an error, and not ignored.
    with pytest.raises(ValueError, match="got 255"):
      loss_fn(logits, ids, ignore=7)


@pytest.mark.parametrize("causal", (False, True))
def test_cross_entropy_of_tokens_is_that_of_both_over_their_lengths(
  getkey, causal
):
  """Tokens beside padding weigh in it what they weigh in `mix_padded`."""
  batch, length, classes, ignore = 4, 6, 5, -100
  valid = np.arange(length) < np.array([6, 2, 1, 4])[:, None]
  rng = np.random.default_rng(0)
  labels = np.where(
    valid, rng.integers(0, classes, (batch, length)), ignore
  ).astype(np.int32)
  if causal:  # A position has the label of the next one; shifted, then mixed.
    last = np.full((batch, 1), ignore, np.int32)
    labels = np.hstack([labels[:, 1:], last])
    valid = labels != ignore
  logits = rng.normal(size=(batch, length, classes)).astype(np.float32)
  mix = transforms.sample_mix(getkey(), batch, alpha=1.0, per_example=True)
  log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
  expected = np.zeros((batch, length))
  for i, j in enumerate(mix.partner):
    for row, weight in ((i, mix.lam[i]), (j, 1 - mix.lam[i])):
      for t in np.flatnonzero(valid[row]):
        expected[i, t] -= weight * log_p[i, t, labels[row, t]]

  @jax.jit
  def run(logits, labels):
    targets = transforms.mix_targets(labels, mix)
    loss = losses.cross_entropy(logits, targets, ignore=ignore)
    return loss, losses.label_weights(targets, ignore=ignore)

  loss, weights = run(logits, labels)
  np.testing.assert_allclose(loss, expected, rtol=1e-5, atol=1e-6)
  share, union = transforms.mix_padded(
    jnp.ones((batch, length)), mix, valid=valid
  )
  np.testing.assert_array_equal(weights, share)
  np.testing.assert_array_equal(weights > 0, union)
  # Floats that are 0 at padding have the same loss, without an id for it.
  soft = transforms.mix_targets(jax.nn.one_hot(labels, classes), mix)
  np.testing.assert_allclose(
    losses.cross_entropy(logits, soft), expected, rtol=1e-5, atol=1e-6
  )


def test_cross_entropy_of_weighted_classes_weighs_both_labels(getkey):
  logits, labels = draw(getkey)
  class_weights = jnp.asarray([1.0, 2.0, 0.5, 0.0, 10.0])
  mixed = transforms.MixedLabels(labels, labels[::-1], jnp.full(6, 0.3))
  own, other = (
    class_weights[ids] * losses.cross_entropy(logits, ids)
    for ids in (labels, labels[::-1])
  )
  weighted = losses.cross_entropy(logits, mixed.soft(5) * class_weights[None])
  chex.assert_trees_all_close(weighted, 0.3 * own + 0.7 * other, rtol=1e-5)


def test_cross_entropy_of_floats_has_no_id_to_ignore():
  with pytest.raises(ValueError, match="ignore=255 is a class id, but .*float"):
    losses.cross_entropy(jnp.ones((2, 3)), jnp.ones((2, 3)), ignore=VOID)


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


@pytest.mark.parametrize("loss", (losses.cross_entropy, losses.zero_one))
def test_losses_of_ids_out_of_range_are_nan(loss):
  ids = jnp.array([-100, -1, 0, 999, 1000])
  values = loss(jnp.zeros((5, 1000)), ids)
  chex.assert_trees_all_equal(
    jnp.isnan(values), jnp.array([1, 1, 0, 0, 1], bool)
  )
  mixed = transforms.MixedLabels(jnp.zeros(5, int), ids, jnp.full(5, 0.5))
  chex.assert_trees_all_equal(
    jnp.isnan(loss(jnp.zeros((5, 1000)), mixed)), jnp.isnan(values)
  )


@pytest.mark.parametrize("loss", (losses.cross_entropy, losses.zero_one))
def test_losses_name_an_id_of_a_numpy_array_out_of_range(loss):
  with pytest.raises(ValueError, match="0 to 999, got -100"):
    loss(jnp.zeros((1, 1000)), np.array([-100]))


@pytest.mark.parametrize("loss", (losses.cross_entropy, losses.zero_one))
@pytest.mark.parametrize(
  "targets", (jnp.array([[0.0], [1.0]]), jnp.array([0, 0]))
)
def test_losses_refuse_a_single_class(loss, targets):
  with pytest.raises(ValueError, match="2 logits"):
    loss(jnp.zeros((2, 1)), targets)


def test_cross_entropy_of_a_class_that_is_ruled_out_is_that_of_ids():
  logits = jnp.array([[1.0, 2.0, -jnp.inf]])
  ids = jnp.array([1])
  soft = jax.nn.one_hot(ids, 3)
  mixed = transforms.MixedLabels(ids, jnp.array([2]), jnp.ones(1))
  swapped = transforms.MixedLabels(jnp.array([2]), ids, jnp.zeros(1))
  wanted = np.log1p(np.exp(-1))
  for targets in (ids, soft, mixed, swapped):
    gradient = jax.grad(lambda x: losses.cross_entropy(x, targets).sum())
    chex.assert_trees_all_close(
      losses.cross_entropy(logits, targets), jnp.array([wanted]), rtol=1e-6
    )
    chex.assert_tree_all_finite(gradient(logits))
  likely = transforms.MixedLabels(ids, jnp.array([2]), jnp.array([0.5]))
  assert losses.cross_entropy(logits, likely) == jnp.inf


def test_zero_one_of_nan_logits_is_nan():
  logits = jnp.array([[jnp.nan, 0.0], [0.0, jnp.nan], [0.0, 1.0]])
  values = losses.zero_one(logits, jnp.array([0, 1, 1]))
  chex.assert_trees_all_equal(values, jnp.array([jnp.nan, jnp.nan, 0.0]))
