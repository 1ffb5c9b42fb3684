"""Mixtures of Gaussians in the plane: toys on which GANs lose modes."""

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array

STD = 0.01  # Of each coordinate, as in the paper's released code.
_ANGLES = 2 * np.pi * np.arange(8) / 8
_LINE = np.linspace(-1, 1, 5)
# The means: 8 on the unit circle, and 25 on a grid of lines 0.5 apart.
CENTERS = {
  "ring": np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1).astype(np.float32),
  "grid": np.stack(np.meshgrid(_LINE, _LINE), -1)
  .reshape(-1, 2)
  .astype(np.float32),
}


def sample(key: Array, centers: jax.typing.ArrayLike, count: int) -> Array:
  """Draws points, each around a mean that is drawn for it.

  Args:
    key: A typed PRNG key, consumed.
    centers: `[modes, 2]`, the means.
    count: How many.

  Returns:
    `[count, 2]` float32.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    3.7; the means and the deviation are those of its released code.
  """
  centers = jnp.asarray(centers, jnp.float32)
  mode_key, noise_key = jax.random.split(key)
  modes = jax.random.randint(mode_key, (count,), 0, len(centers))
  return centers[modes] + STD * jax.random.normal(noise_key, (count, 2))
