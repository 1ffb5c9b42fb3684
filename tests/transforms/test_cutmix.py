"""Tests of CutMix: labels have the weight of the pasted pixels."""

import functools

import chex
import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms


def two_tone(batch, height, width, dtype=jnp.float32):
  """Returns images in which every pixel is the number of the image."""
  values = jnp.arange(batch, dtype=dtype).reshape(batch, 1, 1, 1)
  return jnp.broadcast_to(values, (batch, height, width, 2))


@hypothesis.settings(max_examples=12)
@hypothesis.given(
  height=st.integers(1, 12),
  width=st.integers(1, 12),
  batch=st.integers(2, 6),
  seed=st.integers(0, 10**6),
  per_example=st.booleans(),
  dtype=st.sampled_from((jnp.float32, jnp.uint8, jnp.bfloat16)),
)
def test_cutmix_weight_equals_the_share_of_own_pixels(
  height, width, batch, seed, per_example, dtype
):
  images = two_tone(batch, height, width, dtype)
  transform = functools.partial(
    transforms.cutmix, alpha=1.0, per_example=per_example
  )
  mixed, targets = jax.jit(transform)(
    jax.random.key(seed), images, jnp.arange(batch)
  )
  chex.assert_equal_shape([mixed, images])
  chex.assert_type(mixed, dtype)
  # NumPy from here on: jax would compile for every new shape.
  mixed, images, targets = jax.device_get((mixed, images, targets))
  own = np.mean(mixed == images, axis=(1, 2, 3))
  meets_itself = targets.partner_labels == targets.labels
  expected = np.broadcast_to(targets.lam, (batch,))
  np.testing.assert_allclose(
    own, np.where(meets_itself, 1, expected), atol=1e-6
  )
  partners = targets.partner_labels.reshape(batch, 1, 1, 1).astype(mixed.dtype)
  assert np.all((mixed == images) | (mixed == partners))


@hypothesis.given(
  lam=st.floats(0, 1, width=32),
  height=st.integers(1, 50),
  width=st.integers(1, 50),
  seed=st.integers(0, 10**6),
)
def test_sample_box_lies_inside_with_at_most_the_area(lam, height, width, seed):
  box = transforms.sample_box(
    jax.random.key(seed), jnp.float32(lam), height=height, width=width
  )
  assert 0 <= box.top <= box.bottom <= height
  assert 0 <= box.left <= box.right <= width
  area = int(box.bottom - box.top) * int(box.right - box.left)
  assert area <= (1 - lam) * height * width * (1 + 1e-5)
  mask = transforms.box_mask(box, height=height, width=width)
  assert int(mask.sum()) == area


def test_sample_box_centres_are_uniform_and_clipped(getkey):
  lam = jnp.full(4000, 0.75)
  box = transforms.sample_box(getkey(), lam, height=32, width=32)
  area = np.asarray((box.bottom - box.top) * (box.right - box.left))
  assert area.max() == 16 * 16
  # The sides are independent, and clipped to 32 pixels each.
  sides = [min(32, c + 8) - max(0, c - 8) for c in range(32)]
  assert abs(area.mean() - np.mean(sides) ** 2) < 3


def test_sample_box_at_extreme_lambdas():
  for lam, area in ((1.0, 0), (0.0, 4)):
    box = transforms.sample_box(
      jax.random.key(3), jnp.float32(lam), height=2, width=2
    )
    assert (box.bottom - box.top) * (box.right - box.left) <= area


def test_cutmix_draws_one_box_per_batch_or_per_example(getkey):
  images, labels = two_tone(64, 16, 16), jnp.arange(64)
  shared = transforms.cutmix(getkey(), images, labels, alpha=1.0)[1].lam
  own = transforms.cutmix(
    getkey(), images, labels, alpha=1.0, per_example=True
  )[1].lam
  chex.assert_shape([shared, own], (64,))
  assert len(np.unique(shared)) == 1 and len(np.unique(own)) > 20


def test_cutmix_with_alpha_zero_changes_nothing(getkey):
  images, labels = two_tone(4, 5, 5), jnp.arange(4)
  mixed, targets = transforms.cutmix(getkey(), images, labels, alpha=0.0)
  chex.assert_trees_all_equal(mixed, images)
  assert jnp.all(targets.lam == 1)


def test_cutmix_mixes_soft_targets_by_the_same_weight(getkey):
  key, images = getkey(), two_tone(4, 9, 9)
  _, soft = transforms.cutmix(
    jax.random.clone(key), images, jnp.eye(4), alpha=1.0
  )
  _, ids = transforms.cutmix(key, images, jnp.arange(4), alpha=1.0)
  chex.assert_trees_all_close(soft, ids.soft(4), atol=1e-6)


def test_cutmix_takes_volumes_and_grey_images(getkey):
  for shape in ((4, 8, 8), (4, 8, 8, 3, 2)):
    mixed, _ = transforms.cutmix(
      getkey(), jnp.ones(shape), jnp.arange(4), alpha=1.0
    )
    chex.assert_shape(mixed, shape)


def test_cutmix_refuses_inputs_without_an_axis(getkey):
  with pytest.raises(
    ValueError, match=r"or \[batch, length\], got shape \(4,\)"
  ):
    transforms.cutmix(getkey(), jnp.ones(4), jnp.arange(4), alpha=1.0)


def test_cutmix_of_rows_replaces_an_interval(getkey):
  """For `[batch, length]` the weight is the share of own columns."""
  rows = jnp.tile(jnp.arange(6.0)[:, None], (1, 40))
  for _ in range(10):
    mixed, targets = transforms.cutmix(
      getkey(), rows, jnp.arange(6), alpha=1.0, per_example=True
    )
    own = mixed == rows
    assert jnp.all(jnp.sum(own[:, 1:] != own[:, :-1], axis=1) <= 2)
    is_own = targets.partner_labels == jnp.arange(6)
    share = jnp.where(is_own, targets.lam, own.mean(1))
    chex.assert_trees_all_close(share, targets.lam, atol=1e-6)


def test_sample_box_of_a_line_has_the_length_of_its_share(getkey):
  lam = jnp.full(4000, 0.75)
  box = transforms.sample_box(getkey(), lam, height=1, width=64)
  chex.assert_trees_all_equal(box.bottom - box.top, jnp.ones(4000, jnp.int32))
  assert jnp.max(box.right - box.left) == 16


def test_cutmix_of_given_partners_and_padding_draws_one_box(getkey):
  images = jnp.broadcast_to(jnp.arange(4.0)[:, None, None], (4, 8, 8))
  where = jnp.array([True, True, True, False])
  partner = jnp.array([1, 2, 3, 0])
  cut = functools.partial(
    transforms.cutmix, alpha=1.0, partner=partner, where=where
  )
  for key in jax.random.split(getkey(), 5):
    mixed, targets = cut(key, images, jnp.arange(4))
    boxes = mixed != images
    chex.assert_trees_all_equal(boxes[0], boxes[1])
    assert not boxes[2].any()  # Its partner is padding.
    chex.assert_trees_all_close(
      targets.lam[:3], 1 - boxes[:3].mean(axis=(1, 2)), atol=1e-6
    )
