"""Proves where the means are, and how far points are from them."""

import chex
import jax
import numpy as np
import pytest

from mixup_jax.data import gaussians


def test_the_means():
  ring, grid = gaussians.CENTERS["ring"], gaussians.CENTERS["grid"]
  assert ring.shape == (8, 2) and grid.shape == (25, 2)
  np.testing.assert_allclose(np.linalg.norm(ring, axis=1), 1, rtol=1e-6)
  angles = np.sort(np.arctan2(ring[:, 1], ring[:, 0]))
  np.testing.assert_allclose(np.diff(angles), np.pi / 4, rtol=1e-5)
  assert (
    sorted(set(grid[:, 0])) == sorted(set(grid[:, 1])) == [-1, -0.5, 0, 0.5, 1]
  )
  assert len(np.unique(grid, axis=0)) == 25


@pytest.mark.parametrize("name", gaussians.CENTERS)
def test_points_are_normal_around_every_mean(name, getkey):
  centers = gaussians.CENTERS[name]
  points = gaussians.sample(getkey(), centers, 5_000)
  chex.assert_shape(points, (5_000, 2))
  chex.assert_type(points, np.float32)
  away = np.asarray(points)[:, None] - centers
  nearest = np.linalg.norm(away, axis=-1).argmin(1)
  count = np.bincount(nearest, minlength=len(centers))
  assert np.all(np.abs(count - count.mean()) < 5 * count.mean() ** 0.5)
  own = away[np.arange(5_000), nearest] / gaussians.STD
  assert np.all(np.abs(own.mean(0)) < 0.06)
  np.testing.assert_allclose(own.std(0), 1, atol=0.04)


def test_under_jit_points_are_the_same(getkey):
  key, centers = getkey(), gaussians.CENTERS["ring"]

  def draw(k):
    return gaussians.sample(k, centers, 9)

  chex.assert_trees_all_close(
    jax.jit(draw)(jax.random.clone(key)), draw(key), atol=1e-6
  )
