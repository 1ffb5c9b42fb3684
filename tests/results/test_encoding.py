"""Tests of images and points as text, and of tiled images."""

import json

import numpy as np
import pytest

from mixup_jax.results import encoding


@pytest.mark.parametrize("shape", [(3, 5), (4, 2, 3)])
def test_encode_png_is_inverted_by_decode_png(shape):
  pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
  text = json.loads(json.dumps(encoding.encode_png(pixels)))
  np.testing.assert_array_equal(encoding.decode_png(text), pixels)


def test_encode_points_rounds():
  cloud = np.random.default_rng(0).normal(size=(50, 2))
  text = encoding.encode_points(cloud)
  assert isinstance(text, str)
  np.testing.assert_allclose(encoding.decode_points(text), cloud, atol=5.1e-4)


def test_encode_points_clips_and_replaces_nan():
  cloud = np.array([[100.0, -1e30], [np.inf, np.nan]])
  np.testing.assert_allclose(
    encoding.decode_points(encoding.encode_points(cloud)),
    [[32.767, -32.768], [32.767, 0]],
  )


@pytest.mark.parametrize("channels", (1, 3))
def test_tile_images_frames_each_image(channels):
  rng = np.random.default_rng(0)
  rows = [rng.uniform(0, 255, (2, 4, 4, channels)) for _ in range(3)]
  found = encoding.tile_images(rows).reshape(3 * 6, 2 * 6, channels)
  for line, row in enumerate(rows):
    for column, pixels in enumerate(row):
      tile = found[6 * line : 6 * line + 6, 6 * column : 6 * column + 6]
      np.testing.assert_array_equal(tile[1:5, 1:5], np.rint(pixels))
      assert (tile[0] == 255).all() and (tile[:, -1] == 255).all()


def test_tile_images_keeps_colours_and_clips():
  tiles = [np.zeros((2, 4, 4, 3)), np.full((2, 4, 4, 3), 300.0)]
  whole = encoding.tile_images(tiles)
  assert whole.shape == (12, 12, 3) and whole[8, 8, 0] == 255
