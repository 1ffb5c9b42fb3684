"""Proves that a picture survives being text."""

import json

import numpy as np
import pytest

from mixup_jax import pictures


@pytest.mark.parametrize("shape", [(3, 5), (4, 2, 3)])
def test_pixels_come_back(shape):
  pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
  text = json.loads(json.dumps(pictures.encode(pixels)))
  np.testing.assert_array_equal(pictures.decode(text), pixels)
