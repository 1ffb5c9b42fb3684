"""Proves that points come back rounded, and those far away at the border."""

import numpy as np

from mixup_jax import points


def test_points_come_back_rounded():
  cloud = np.random.default_rng(0).normal(size=(50, 2))
  text = points.encode(cloud)
  assert isinstance(text, str)
  np.testing.assert_allclose(points.decode(text), cloud, atol=5.1e-4)


def test_what_is_far_away_or_no_number_does_no_harm():
  cloud = np.array([[100.0, -1e30], [np.inf, np.nan]])
  np.testing.assert_allclose(
    points.decode(points.encode(cloud)), [[32.767, -32.768], [32.767, 0]]
  )
