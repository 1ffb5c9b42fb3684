"""Sums over examples under a mask, so that any batching gives the same means.

Add sums with `jax.tree.map(jnp.add, a, b)`, and divide once, at the end.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from mixup_jax import losses
from mixup_jax import transforms

Array = jax.Array

BINS = 15  # Of confidence, as in Guo et al.
TOP = 5


class Sums(NamedTuple):
  """Sums over the predictions of a classifier; float32.

  Attributes:
    examples: `[]`, how many examples were counted.
    wrong: `[]`, how many of them have a label other than the most probable
      class.
    missed: `[]`, how many have a label that is not among the five most probable
      classes.
    nll: `[]`, the negative log-likelihood of the labels, in nats.
    brier: `[]`, the squared distance of the probabilities from the label, as a
      vector with one 1.
    confidence: `[bins]`, the probability of the most probable class, summed
      over the examples of which it is in the bin.
    right: `[bins]`, how many of these were classified correctly.
  """

  examples: Array
  wrong: Array
  missed: Array
  nll: Array
  brier: Array
  confidence: Array
  right: Array

  def means(self) -> dict[str, Array]:
    """Returns means: of `nll` in nats, of the errors and `ece` in per cent.

    References:
      Expected calibration error, with 15 bins of equal width: Guo et al., On
      Calibration of Modern Neural Networks, ICML 2017, eq. 3. Brier score, from
      0 to 2: Brier, Monthly Weather Review, 1950, eq. 2.
    """
    gaps = abs(self.right - self.confidence)
    return {
      "error": 100 * self.wrong / self.examples,
      "top5_error": 100 * self.missed / self.examples,
      "nll": self.nll / self.examples,
      "brier": self.brier / self.examples,
      "ece": 100 * gaps.sum() / self.examples,
    }


def classification(
  logits: Array, labels: Array, *, where: Array | None = None
) -> Sums:
  """Sums how well logits predict class ids.

  Args:
    logits: `[batch, classes]` of any floating-point dtype, used in float32.
    labels: `[batch]` integer class ids.
    where: `[batch]` booleans, False for examples that do not count.

  Returns:
    The sums over the examples that count; but for `examples`, they are NaN if a
    logit is NaN, or a label out of range.

  Raises:
    ValueError: If the shapes do not match, there is only one class, or a label
      of a NumPy array is out of range.
  """
  logits = logits.astype(jnp.float32)
  if where is not None:
    labels = jnp.asarray(labels)  # Those of padding may be any.
  wrong = losses.zero_one(logits, labels)
  is_valid = ~jnp.isnan(wrong)
  _, top = jax.lax.top_k(logits, min(TOP, logits.shape[-1]))
  missed = (top != labels[:, None]).all(axis=-1)
  counted = jnp.ones_like(is_valid) if where is None else where
  probabilities = jax.nn.softmax(logits)
  is_label = transforms.one_hot(labels, logits.shape[-1])
  brier = jnp.square(probabilities - is_label).sum(axis=-1)
  confidence = transforms.nan_unless(is_valid, probabilities.max(axis=-1))
  # Bins are open below and closed above, so that 1 is in the last one.
  bins = jnp.clip(jnp.ceil(confidence * BINS) - 1, 0, BINS - 1)
  in_bin = jax.nn.one_hot(bins.astype(jnp.int32), BINS, dtype=bool)
  in_bin &= counted[:, None]

  def add(x: Array) -> Array:
    return jnp.sum(x.astype(jnp.float32), axis=0, where=counted)

  def add_bins(x: Array) -> Array:
    return jnp.sum(x.astype(jnp.float32)[:, None], axis=0, where=in_bin)

  return Sums(
    add(jnp.ones_like(wrong)),
    add(wrong),
    add(transforms.nan_unless(is_valid, missed.astype(jnp.float32))),
    add(losses.cross_entropy(logits, labels)),
    add(brier),
    add_bins(confidence),
    add_bins(1 - wrong),
  )
