"""Tests of pasting: maps of labels follow their pixels."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms

PASTING = {
  "cutmix": functools.partial(transforms.cutmix, alpha=1.0),
  "fmix": functools.partial(transforms.fmix, alpha=1.0),
  "resizemix": transforms.resizemix,
}
each = pytest.mark.parametrize("name", PASTING)
BATCH, SHAPE = 4, (4, 6, 7)


def numbers(dtype):
  """Returns `[batch, height, width]`, all pixels the number of the image."""
  rows = np.arange(BATCH, dtype=dtype)[:, None, None]
  return np.broadcast_to(rows, SHAPE).copy()


@functools.cache
def pasted(name, lines=False):
  """Returns a batch of every kind of target, and what became of it."""
  first = (lambda x: x[:, 0]) if lines else (lambda x: x)
  images = first(numbers(np.float32))
  targets = {
    "id": np.arange(BATCH, dtype=np.int32),
    "soft": np.eye(BATCH, dtype=np.float32),
    "map": first(numbers(np.uint8)),
    "float_map": first(numbers(np.float32)),
  }
  run = functools.partial(PASTING[name], per_example=True)
  mixed = jax.jit(run)(jax.random.key(5), images, targets)
  return targets, *jax.device_get(mixed)


@each
@pytest.mark.parametrize("lines", (False, True))
def test_paste_moves_maps_of_integers_with_their_pixels(name, lines):
  targets, images, mixed = pasted(name, lines)
  assert mixed["map"].dtype == np.uint8
  # Pixels hold the number of their image, and so does the map; a resized
  # constant is that constant to within rounding.
  np.testing.assert_array_equal(np.rint(images), mixed["map"])
  own = np.arange(BATCH).reshape(-1, *(1,) * (images.ndim - 1))
  share = np.mean(mixed["map"] == own, axis=tuple(range(1, images.ndim)))
  is_itself = mixed["id"].partner_labels == np.arange(BATCH)
  np.testing.assert_allclose(
    share, np.where(is_itself, 1, mixed["id"].lam), atol=1e-6
  )
  assert (share < 1).any()
  np.testing.assert_allclose(mixed["soft"], mixed["id"].soft(BATCH), atol=1e-6)


@each
def test_paste_moves_maps_of_floats_but_mixes_those_of_rows(name):
  _, images, mixed = pasted(name)
  np.testing.assert_array_equal(mixed["float_map"], images)
  targets, images, mixed = pasted(name, lines=True)
  lam = np.asarray(mixed["id"].lam)[:, None]
  partner = targets["float_map"][mixed["id"].partner_labels]
  np.testing.assert_allclose(
    mixed["float_map"],
    lam * targets["float_map"] + (1 - lam) * partner,
    atol=1e-6,
  )


@each
def test_paste_with_given_partners_leaves_maps_beside_padding(name):
  where = np.array([True, True, False, True])
  partner = np.array([1, 2, 3, 0], np.int32)
  images = np.where(where[:, None, None], numbers(np.float32), np.nan)
  ids = np.where(where[:, None, None], numbers(np.int32), 255)
  run = functools.partial(PASTING[name], partner=partner, where=where)
  images, mixed = jax.jit(run)(jax.random.key(5), images, {"map": ids})
  assert jnp.isfinite(images[where]).all()
  np.testing.assert_array_equal(mixed["map"][1], 1)  # Its partner is padding.
  assert set(np.unique(mixed["map"][0])) == {0, 1}


@each
def test_paste_refuses_mixed_labels_and_inputs_without_an_axis(name):
  key, ids = jax.random.key(0), jnp.arange(2)
  mixed = transforms.MixedLabels(ids, ids, jnp.ones(2))
  with pytest.raises(TypeError, match="mixed already"):
    PASTING[name](key, jnp.ones((2, 3)), mixed)
  with pytest.raises(
    ValueError, match=r"length\], got shape \(2,\): use mixup"
  ):
    PASTING[name](key, jnp.ones(2), ids)


@pytest.mark.parametrize("shape", ((2, 0, 4, 3), (2, 4, 0), (2, 0)))
def test_paste_refuses_images_without_pixels(shape):
  images, labels = jnp.ones(shape), jnp.zeros(2, jnp.int32)
  for transform in (
    functools.partial(transforms.cutmix, alpha=1.0),
    functools.partial(transforms.fmix, alpha=1.0),
    transforms.resizemix,
  ):
    with pytest.raises(ValueError, match="images have no pixels, got shape"):
      transform(jax.random.key(0), images, labels)
