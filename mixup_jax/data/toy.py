"""Toy data sets in the plane: two rings, and mixtures of Gaussians."""

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array

GAUSSIAN_STD = 0.01  # Of each coordinate, as in the paper's released code.
_ANGLES = 2 * np.pi * np.arange(8) / 8
_LINE = np.linspace(-1, 1, 5)
# The means: 8 on the unit circle, and 25 on a grid with a spacing of 0.5.
GAUSSIAN_CENTERS = {
  "ring": np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1).astype(np.float32),
  "grid": np.stack(np.meshgrid(_LINE, _LINE), -1)
  .reshape(-1, 2)
  .astype(np.float32),
}


def sample_gaussians(
  key: Array, centers: jax.typing.ArrayLike, count: int
) -> Array:
  """Draws points of a mixture of Gaussians with equal weights.

  Args:
    key: A typed PRNG key, consumed.
    centers: `[modes, 2]`, the means.
    count: The number of points.

  Returns:
    `[count, 2]` float32.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    3.7; the means and the standard deviation are those of its released code.
  """
  centers = jnp.asarray(centers, jnp.float32)
  mode_key, noise_key = jax.random.split(key)
  modes = jax.random.randint(mode_key, (count,), 0, len(centers))
  return centers[modes] + GAUSSIAN_STD * jax.random.normal(
    noise_key, (count, 2)
  )


def sample_rings(
  seed: int, *, inner: int, outer: int, ratio: float, noise: float
) -> tuple[np.ndarray, np.ndarray]:
  """Draws noisy points of two concentric circles.

  Args:
    seed: Determines the noise.
    inner: The number of points of class 1, around the inner circle.
    outer: The number of points of class 0, around the circle of radius 1.
    ratio: The radius of the inner circle, in [0, 1).
    noise: The standard deviation of each coordinate.

  Returns:
    `[outer + inner, 2]` float32 points and `[outer + inner]` int32 class ids.

  Raises:
    ValueError: If a class has no points, or `ratio` is not in [0, 1).
  """
  if min(inner, outer) < 1:
    raise ValueError(
      f"each ring needs at least 1 point, got inner={inner} and outer={outer}."
    )
  if not 0 <= ratio < 1:
    raise ValueError(
      f"ratio must be at least 0 and below 1, got {ratio}: the outer circle "
      "has radius 1."
    )
  import sklearn.datasets  # Only now: the import takes a second.

  points, labels = sklearn.datasets.make_circles(
    (outer, inner), shuffle=False, noise=noise, random_state=seed, factor=ratio
  )
  return points.astype(np.float32), labels.astype(np.int32)
