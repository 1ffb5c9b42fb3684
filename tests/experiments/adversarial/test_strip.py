"""Proves the picture of images before and after attacks."""

import numpy as np
import pytest

from experiments.adversarial import strip


@pytest.mark.parametrize("channels", (1, 3))
def test_images_stand_in_frames_row_by_row(channels):
  rng = np.random.default_rng(0)
  rows = [rng.uniform(0, 255, (2, 4, 4, channels)) for _ in range(3)]
  found = strip.framed(rows).reshape(3 * 6, 2 * 6, channels)
  for line, row in enumerate(rows):
    for column, pixels in enumerate(row):
      tile = found[6 * line : 6 * line + 6, 6 * column : 6 * column + 6]
      np.testing.assert_array_equal(tile[1:5, 1:5], np.rint(pixels))
      assert (tile[0] == 255).all() and (tile[:, -1] == 255).all()
