"""Tests of ResizeMix against NumPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms
from mixup_jax.transforms import _resizemix

BATCH, HEIGHT, WIDTH = 6, 11, 9


def kernel(length, first, last):
  """Returns `[length, length]` weights: a triangle as wide as a new pixel."""
  ratio = length / (last - first)
  weights = np.zeros((length, length))
  for pixel in range(first, last):
    centre = (pixel - first + 0.5) * ratio - 0.5
    row = np.maximum(0, 1 - abs(centre - np.arange(length)) / ratio)
    weights[pixel] = row / row.sum()
  return weights


def nearest(length, first, last):
  """Returns `[length, length]` weights: one pixel of the image each."""
  weights = np.zeros((length, length))
  for pixel in range(first, last):
    source = int((pixel - first + 0.5) * length / (last - first))
    weights[pixel, source] = 1
  return weights


def by_numpy(images, partner, boxes, weights):
  mixed = images.astype(np.float64)
  for row, (top, left, bottom, right) in enumerate(boxes):
    vertical = weights(images.shape[1], top, bottom)
    horizontal = weights(images.shape[2], left, right)
    small = np.einsum(
      "yv,xh,vhc->yxc", vertical, horizontal, images[partner[row]]
    )
    mixed[row, top:bottom, left:right] = small[top:bottom, left:right]
  return mixed


def boxes_of(changed):
  """Returns the edges of the pixels that have changed, for each image."""
  found = []
  for mask in changed:
    y, x = np.nonzero(mask)
    top, left, bottom, right = y.min(), x.min(), y.max() + 1, x.max() + 1
    assert mask[top:bottom, left:right].all()
    found.append((top, left, bottom, right))
  return found


@functools.cache
def batch():
  """Returns images, ids a pixel, and what becomes of them."""
  rng = np.random.default_rng(0)
  images = rng.normal(size=(BATCH, HEIGHT, WIDTH, 2)).astype(np.float32)
  rows = np.arange(BATCH, dtype=np.int32)
  # No two images share an id.
  ids = rows[:, None, None] + BATCH * rng.integers(
    0, 50, images.shape[:3], np.int32
  )
  run = functools.partial(
    transforms.resizemix, scale=(0.3, 0.8), per_example=True
  )
  targets = {"row": rows, "ids": ids}
  mixed, targets = jax.device_get(
    jax.jit(run)(jax.random.key(2), images, targets)
  )
  return images, ids, mixed, targets


def test_resizemix_pastes_the_resized_partner_as_numpy_does():
  images, ids, mixed, targets = batch()
  boxes = boxes_of((mixed != images).any(-1))
  partner = targets["row"].partner_labels
  np.testing.assert_allclose(
    mixed, by_numpy(images, partner, boxes, kernel), atol=1e-5
  )
  np.testing.assert_array_equal(
    targets["ids"][..., None], by_numpy(ids[..., None], partner, boxes, nearest)
  )
  area = [(y1 - y0) * (x1 - x0) for y0, x0, y1, x1 in boxes]
  np.testing.assert_allclose(
    targets["row"].lam, 1 - np.array(area) / (HEIGHT * WIDTH), atol=1e-6
  )
  for top, left, bottom, right in boxes:  # Both sides have the share tau.
    shares = [
      (x / n, (x + 1) / n)
      for x, n in ((bottom - top, HEIGHT), (right - left, WIDTH))
    ]
    assert max(low for low, _ in shares) < min(high for _, high in shares)
  assert len(set(boxes)) > 3


@pytest.mark.parametrize("dtype", (jnp.bfloat16, jnp.float16))
def test_resize_takes_half_precision_and_computes_in_float32(dtype):
  """Also where dtypes are not promoted, as in these tests."""
  image = jnp.asarray(batch()[0][0]).astype(dtype)
  box = transforms.Box(*jnp.asarray((2, 1, 8, 6)))
  resize = jax.jit(_resizemix._resize)
  half, wide = resize(image, box), resize(image.astype(jnp.float32), box)
  assert half.dtype == dtype
  np.testing.assert_array_equal(half, wide.astype(dtype))


def test_resizemix_sides_are_uniform_and_boxes_lie_inside():
  count, side = 4000, 20
  images = jnp.arange(count, dtype=jnp.int32)[:, None, None]
  images = jnp.broadcast_to(images, (count, side, side))
  run = functools.partial(transforms.resizemix, per_example=True)
  mixed, targets = jax.jit(run)(
    jax.random.key(3), images, jnp.arange(count, dtype=jnp.int32)
  )
  changed = np.asarray(mixed != images)
  pasted = np.sqrt(changed.sum((1, 2)))
  is_own = np.asarray(targets.partner_labels) == np.arange(count)
  pasted = pasted[~is_own]
  np.testing.assert_array_equal(pasted, np.rint(pasted))  # None is clipped.
  assert (pasted.min(), pasted.max()) == (2, 15)
  np.testing.assert_allclose(
    np.bincount(pasted.astype(int))[2:] / len(pasted), 1 / 14, atol=0.02
  )
  # A box of 10 is at each of 11 places alike.
  tops = changed[~is_own][pasted == 10].any(2).argmax(1)
  assert set(tops) == set(range(11)) and abs(tops.mean() - 5) < 0.6


@pytest.mark.parametrize("scale", ((0.0, 0.0), (1.0, 1.0)))
def test_resizemix_at_both_ends_of_the_scale(scale):
  images, _, _, _ = batch()
  mixed, targets = transforms.resizemix(
    jax.random.key(1), images, np.arange(BATCH), scale=scale
  )
  expected = images if scale[0] == 0 else images[targets.partner_labels]
  np.testing.assert_allclose(mixed, expected, atol=1e-6)
  np.testing.assert_array_equal(targets.lam, 1 - scale[0])


def test_resizemix_of_rows_pastes_an_interval():
  rows = np.broadcast_to(np.arange(6.0, dtype=np.float32)[:, None], (6, 40))
  run = functools.partial(transforms.resizemix, per_example=True)
  mixed, targets = jax.jit(run)(jax.random.key(0), rows, np.arange(6))
  changed = np.abs(mixed - rows) > 1e-3
  assert (np.diff(changed.astype(int), axis=1) != 0).sum(1).max() <= 2
  is_own = targets.partner_labels == np.arange(6)
  np.testing.assert_allclose(
    np.where(is_own, targets.lam, 1 - changed.mean(1)), targets.lam, atol=1e-6
  )
  assert targets.lam.max() <= 0.9 + 1e-6 and targets.lam.min() >= 0.2


@pytest.mark.parametrize(
  "scale, error, message",
  [
    ((0.8, 0.1), ValueError, r"scale must rise, got \(0.8, 0.1\)"),
    ((0.1, 1.2), ValueError, "scale must be from 0 to 1, got 1.2"),
    ((0.1,), ValueError, r"least and the largest share, got \(0.1,\)"),
    (("a", 0.1), TypeError, "scale must be a number, got 'a'"),
  ],
)
def test_resizemix_refuses_a_bad_scale(scale, error, message):
  with pytest.raises(error, match=message):
    transforms.resizemix(
      jax.random.key(0), jnp.ones((2, 4, 4)), jnp.arange(2), scale=scale
    )
