"""Tests of the three measures, on samples whose values are known."""

import numpy as np

from mixup_jax.data import toy
from mixup_jax.gan import modes

RING = toy.GAUSSIAN_CENTERS["ring"]


def test_measure_of_the_data():
  draws = np.random.default_rng(0)
  points = RING[draws.integers(0, 8, 4000)] + toy.GAUSSIAN_STD * draws.normal(
    size=(4000, 2)
  )
  covered, near, distance = modes.measure(points, RING)
  assert covered == 8
  # Of a normal distribution in the plane, exp(-9 / 2) is further than 3 std.
  np.testing.assert_allclose(near, 98.9, atol=0.6)
  assert distance < 0.03


def test_measure_of_one_mode():
  covered, near, distance = modes.measure(np.tile(RING[:1], (10, 1)), RING)
  assert (covered, near) == (1, 100)
  p, q = np.eye(8)[0], np.full(8, 1 / 8)
  m = (p + q) / 2
  divergence = (np.log2(1 / m[0]) + np.sum(q * np.log2(q / m))) / 2
  np.testing.assert_allclose(distance, np.sqrt(divergence), rtol=1e-6)


def test_measure_of_points_far_from_all_modes():
  covered, near, distance = modes.measure(1.5 * RING, RING)
  assert (covered, near) == (0, 0)
  assert distance == 0  # Each is nearest to a mode of its own.
  covered, near, _ = modes.measure(RING + [0, 2.9 * toy.GAUSSIAN_STD], RING)
  assert (covered, near) == (8, 100)
  assert modes.measure(RING + [0, 3.1 * toy.GAUSSIAN_STD], RING)[:2] == [0, 0]


def test_measure_of_points_that_are_not_finite():
  assert modes.measure(np.array([[np.nan, 0], [0, 0]]), RING) == [0, 0, 1]
