"""What both networks of a GAN minimize: with ERM, and with mixup.

The discriminator learns by binary cross-entropy with soft targets. ERM and
mixup differ in the batch alone: points, and the share in them that is real.

The paper can be read in three ways. Of the generator's step it has the formula
alone, in which the generator maximizes the loss of the mixed points:

- the formula: `mixed_pairs`, and the generator's step "min_max";
- its discriminator, `mixed_pairs`, with the generator's step of the released
  code, "saturating", which sees generated points that are not mixed;
- the released code: `mixed_batches`, and "saturating".
"""

from typing import Callable

import jax
import jax.numpy as jnp
import optax

from mixup_jax import transforms

Array = jax.Array
Batch = tuple[Array, Array]  # Points `[batch, 2]`, and targets `[batch]`.
# Takes a key; returns real and generated points, each `[size, 2]`.
Draw = Callable[[Array], tuple[Array, Array]]
MakeBatch = Callable[[Array, Draw, float], Batch]


def unmixed(key: Array, draw: Draw, alpha: float) -> Batch:
  """Returns real points with target 1 and generated ones with 0: ERM.

  Args:
    key: A typed PRNG key, consumed.
    draw: Takes a key, and returns as many real points as generated ones.
    alpha: Not used.

  Returns:
    Points `[2 size, 2]`, and their targets `[2 size]`.
  """
  del alpha
  real, fake = draw(key)
  targets = jnp.repeat(jnp.array([1.0, 0.0]), len(real))
  return jnp.concatenate([real, fake]), targets


def mixed_pairs(key: Array, draw: Draw, alpha: float) -> Batch:
  """Mixes each real point with a generated one, as the paper's formula does.

  Args:
    key: A typed PRNG key, consumed.
    draw: Takes a key, and returns as many real points as generated ones.
    alpha: Concentration of lam ~ Beta(alpha, alpha), drawn for each pair.

  Returns:
    Points lam x + (1 - lam) g(z), `[size, 2]`, and their targets lam, `[size]`.

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


def mixed_batches(key: Array, draw: Draw, alpha: float) -> Batch:
  """Mixes two unmixed batches, as the paper's released code does.

  Pairs of two real points and of two generated ones occur as well.

  Args:
    key: A typed PRNG key, consumed.
    draw: Takes a key, and returns as many real points as generated ones.
    alpha: The largest lam: lam ~ U(0, alpha), drawn for each pair.

  Returns:
    Points `[2 size, 2]`, and their targets `[2 size]`.
  """
  *draws, order, lam_key = jax.random.split(key, 4)
  first, second = (unmixed(k, draw, alpha) for k in draws)
  size = len(first[0])
  order = jax.random.permutation(order, size)  # Any point with any other.
  lam = jax.random.uniform(lam_key, (size,), maxval=alpha)
  return transforms.interpolate(
    jax.tree.map(lambda x: x[order], first), second, lam
  )


# What the discriminator learns from, by the key of the method.
DISCRIMINATOR_BATCHES: dict[str, MakeBatch] = {
  "erm": unmixed,
  "mixup": mixed_pairs,
  "mixup_code": mixed_batches,
}


def discriminator_loss(logits: Array, targets: Array) -> Array:
  """Returns the binary cross-entropy in nats, a mean over the batch.

  Args:
    logits: `[batch]`, of a point being real.
    targets: `[batch]`, the share that is real, from 0 to 1.

  Returns:
    A scalar.
  """
  return optax.sigmoid_binary_cross_entropy(logits, targets).mean()


def saturating(logits: Array) -> Array:
  """Returns the mean of log(1 - d), which the released code minimizes.

  Args:
    logits: `[batch]`, of generated points that are not mixed.

  Returns:
    A scalar, the negative of the discriminator's loss on these points without
    mixing. With ERM, that is the min-max game.
  """
  return -jax.nn.softplus(logits).mean()


def non_saturating(logits: Array) -> Array:
  """Returns the mean of -log d, whose gradient stays where d is near 0.

  Args:
    logits: `[batch]`, of generated points, by the discriminator.

  Returns:
    A scalar.

  References:
    Goodfellow et al., Generative Adversarial Nets, NIPS 2014, section 3.
  """
  return jax.nn.softplus(-logits).mean()


# None is the negative of the discriminator's loss, on a batch of its kind.
GENERATOR_LOSSES: dict[str, Callable[[Array], Array] | None] = {
  "saturating": saturating,
  "non_saturating": non_saturating,
  "min_max": None,
}
