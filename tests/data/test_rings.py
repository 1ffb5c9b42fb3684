"""Proves what the two rings look like, and what is refused."""

import numpy as np
import pytest

from mixup_jax.data import rings

FIGURE = {"inner": 256, "outer": 102, "ratio": 0.3, "noise": 0.05}


def test_points_lie_around_their_circles():
  points, labels = rings.draw(0, **FIGURE)
  assert points.dtype == np.float32 and labels.dtype == np.int32
  assert (labels == 0).sum() == 102 and (labels == 1).sum() == 256
  radius = np.linalg.norm(points, axis=1)
  assert abs(radius[labels == 0].mean() - 1) < 0.02
  assert abs(radius[labels == 1].mean() - 0.3) < 0.02
  assert abs(radius[labels == 1].std() - 0.05) < 0.01


def test_a_seed_is_a_cloud():
  clouds = [rings.draw(seed, **FIGURE)[0] for seed in (0, 0, 1)]
  np.testing.assert_array_equal(clouds[0], clouds[1])
  assert np.abs(clouds[0] - clouds[2]).max() > 0.05


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"inner": 0}, "at least 1 point, got inner=0"),
    ({"ratio": 1.0}, "ratio must be from 0 to 1, and below it, got 1.0"),
  ],
)
def test_bad_rings_are_refused(changes, message):
  with pytest.raises(ValueError, match=message):
    rings.draw(0, **{**FIGURE, **changes})
