"""Which modes of the data a generator covers, and how well."""

import numpy as np

from mixup_jax.data import toy

# A point belongs to a mode if it is no further from its mean than this many
# standard deviations; 1.1 % of the real points do not.
_NEAR = 3
METRICS = (
  "modes covered",
  f"within {_NEAR} std of a mode (%)",
  "Jensen-Shannon distance of the modes",
)


def measure(points: np.ndarray, centers: np.ndarray) -> list[float]:
  """Measures a sample of a generator.

  A mode is covered if at least one point is within 3 standard deviations of its
  mean. The Jensen-Shannon distance compares the shares of the modes, where each
  point counts for the nearest, with equal shares: the square root of the
  divergence in bits, from 0 to 1.

  Args:
    points: `[count, 2]`.
    centers: `[modes, 2]`, the means of the data.

  Returns:
    A number for each of `METRICS`: no mode and the distance 1 if a point is not
    finite.
  """
  if not np.isfinite(points).all():
    return [0.0, 0.0, 1.0]
  away = np.linalg.norm(points[:, None] - centers, axis=-1)
  nearest = away.argmin(1)
  near = away.min(1) <= _NEAR * toy.GAUSSIAN_STD
  covered = len(np.unique(nearest[near]))
  shares = np.bincount(nearest, minlength=len(centers)) / len(points)
  return [float(covered), 100 * float(near.mean()), _distance(shares)]


def _distance(shares: np.ndarray) -> float:
  """Returns the Jensen-Shannon distance of shares from equal ones."""
  equal = np.full(len(shares), 1 / len(shares))
  middle = (shares + equal) / 2
  kept = shares > 0
  own = np.sum(shares[kept] * np.log2(shares[kept] / middle[kept]))
  other = np.sum(equal * np.log2(equal / middle))
  return float(np.sqrt(max(own + other, 0) / 2))
