"""Two noisy rings, one inside the other: a toy that can be looked at."""

import numpy as np
import sklearn.datasets


def draw(
  seed: int, *, inner: int, outer: int, ratio: float, noise: float
) -> tuple[np.ndarray, np.ndarray]:
  """Draws a cloud of points around two circles.

  Args:
    seed: The seed of the noise.
    inner: The number of points of class 1, around the inner circle.
    outer: The number of points of class 0, around that of radius 1.
    ratio: The radius of the inner circle.
    noise: The standard deviation of each coordinate.

  Returns:
    `[outer + inner, 2]` float32 points and `[outer + inner]` int32 class ids.

  Raises:
    ValueError: If a class has no points, or the ratio is not below 1.
  """
  if min(inner, outer) < 1:
    raise ValueError(
      f"each ring needs at least 1 point, got inner={inner} and outer={outer}."
    )
  if not 0 <= ratio < 1:
    raise ValueError(
      "ratio must be from 0 to 1, and below it, got "
      f"{ratio}: the outer circle has radius 1."
    )
  points, labels = sklearn.datasets.make_circles(
    (outer, inner), shuffle=False, noise=noise, random_state=seed, factor=ratio
  )
  return points.astype(np.float32), labels.astype(np.int32)
