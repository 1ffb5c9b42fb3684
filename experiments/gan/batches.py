"""What a discriminator learns from: points, and the share that is real."""

from typing import Callable

import jax
import jax.numpy as jnp

from mixup_jax import transforms

Array = jax.Array
Examples = tuple[Array, Array]  # Points `[batch, 2]`, and targets `[batch]`.
Draw = Callable[[Array], tuple[Array, Array]]  # Real points, and fake ones.
Batch = Callable[[Array, Draw, float], Examples]


def apart(key: Array, draw: Draw, alpha: float) -> Examples:
  """Returns real points with target 1 and fake ones with 0: ERM.

  Args:
    key: A typed PRNG key, consumed.
    draw: Takes a key, and returns as many real points as fake ones.
    alpha: Not used.

  Returns:
    Twice as many points as of each kind, and their targets.
  """
  del alpha
  real, fake = draw(key)
  targets = jnp.repeat(jnp.array([1.0, 0.0]), len(real))
  return jnp.concatenate([real, fake]), targets


def mixed(key: Array, draw: Draw, alpha: float) -> Examples:
  """Mixes each real point with a fake one, as the paper's formula does.

  Args:
    key: A typed PRNG key, consumed.
    draw: Takes a key, and returns as many real points as fake ones.
    alpha: Of lam ~ Beta(alpha, alpha), drawn for each pair.

  Returns:
    As many points as of each kind, lam x + (1 - lam) g(z), and targets lam.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    3.7: max_g min_d E l(d(lam x + (1 - lam) g(z)), lam).
  """
  draw_key, lam_key = jax.random.split(key)
  real, fake = draw(draw_key)
  size = real.shape[:1]
  lam = transforms.sample_lambda(lam_key, alpha=alpha, shape=size)
  return transforms.interpolate(
    (real, jnp.ones(size)), (fake, jnp.zeros(size)), lam
  )


def mixed_batches(key: Array, draw: Draw, alpha: float) -> Examples:
  """Mixes two batches of real and fake points, as the released code does.

  Pairs of two real points and of two fake ones occur as well.

  Args:
    key: A typed PRNG key, consumed.
    draw: Takes a key, and returns as many real points as fake ones.
    alpha: Of lam ~ U(0, alpha), drawn for each pair.

  Returns:
    Twice as many points as of each kind, and their targets.
  """
  *draws, order, lam_key = jax.random.split(key, 4)
  first, second = (apart(k, draw, alpha) for k in draws)
  size = len(first[0])
  order = jax.random.permutation(order, size)  # Any pairs with any.
  lam = jax.random.uniform(lam_key, (size,), maxval=alpha)
  return transforms.interpolate(
    jax.tree.map(lambda x: x[order], first), second, lam
  )


BATCHES: dict[str, Batch] = {
  "erm": apart,
  "mixup": mixed,
  "mixup_code": mixed_batches,
}
