"""Tests of the toy data sets."""

import chex
import jax
import numpy as np
import pytest

from mixup_jax.data import toy

FIGURE = {"inner": 256, "outer": 102, "ratio": 0.3, "noise": 0.05}


def test_sample_rings_lie_around_their_circles():
  points, labels = toy.sample_rings(0, **FIGURE)
  assert points.dtype == np.float32 and labels.dtype == np.int32
  assert (labels == 0).sum() == 102 and (labels == 1).sum() == 256
  radius = np.linalg.norm(points, axis=1)
  assert abs(radius[labels == 0].mean() - 1) < 0.02
  assert abs(radius[labels == 1].mean() - 0.3) < 0.02
  assert abs(radius[labels == 1].std() - 0.05) < 0.01


def test_sample_rings_depends_on_the_seed():
  clouds = [toy.sample_rings(seed, **FIGURE)[0] for seed in (0, 0, 1)]
  np.testing.assert_array_equal(clouds[0], clouds[1])
  assert np.abs(clouds[0] - clouds[2]).max() > 0.05


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"inner": 0}, "at least 1 point, got inner=0"),
    ({"ratio": 1.0}, "ratio must be at least 0 and below 1, got 1.0"),
  ],
)
def test_sample_rings_refuses_bad_values(changes, message):
  with pytest.raises(ValueError, match=message):
    toy.sample_rings(0, **{**FIGURE, **changes})


def test_gaussian_centers_are_a_ring_and_a_grid():
  ring, grid = toy.GAUSSIAN_CENTERS["ring"], toy.GAUSSIAN_CENTERS["grid"]
  assert ring.shape == (8, 2) and grid.shape == (25, 2)
  np.testing.assert_allclose(np.linalg.norm(ring, axis=1), 1, rtol=1e-6)
  angles = np.sort(np.arctan2(ring[:, 1], ring[:, 0]))
  np.testing.assert_allclose(np.diff(angles), np.pi / 4, rtol=1e-5)
  assert (
    sorted(set(grid[:, 0])) == sorted(set(grid[:, 1])) == [-1, -0.5, 0, 0.5, 1]
  )
  assert len(np.unique(grid, axis=0)) == 25


@pytest.mark.parametrize("name", toy.GAUSSIAN_CENTERS)
def test_sample_gaussians_is_normal_around_every_center(name, getkey):
  centers = toy.GAUSSIAN_CENTERS[name]
  points = toy.sample_gaussians(getkey(), centers, 5_000)
  chex.assert_shape(points, (5_000, 2))
  chex.assert_type(points, np.float32)
  away = np.asarray(points)[:, None] - centers
  nearest = np.linalg.norm(away, axis=-1).argmin(1)
  count = np.bincount(nearest, minlength=len(centers))
  assert np.all(np.abs(count - count.mean()) < 5 * count.mean() ** 0.5)
  own = away[np.arange(5_000), nearest] / toy.GAUSSIAN_STD
  assert np.all(np.abs(own.mean(0)) < 0.06)
  np.testing.assert_allclose(own.std(0), 1, atol=0.04)


def test_sample_gaussians_is_the_same_under_jit(getkey):
  key, centers = getkey(), toy.GAUSSIAN_CENTERS["ring"]

  def draw(k):
    return toy.sample_gaussians(k, centers, 9)

  chex.assert_trees_all_close(
    jax.jit(draw)(jax.random.clone(key)), draw(key), atol=1e-6
  )
