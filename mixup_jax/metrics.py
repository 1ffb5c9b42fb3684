"""Sums over examples under a mask, so that any batching gives the same means.

Add sums with `jax.tree.map(jnp.add, a, b)`, and divide once, at the end.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

Array = jax.Array


class Sums(NamedTuple):
  """What a classifier did on some examples; float32 scalars.

  Attributes:
    examples: How many examples were counted.
    wrong: How many of them have a label other than the most probable
      class.
    nll: The negative log-likelihood of the labels, in nats.
  """
  examples: Array
  wrong: Array
  nll: Array

  def means(self) -> dict[str, Array]:
    """Returns the `error` in per cent and the `nll` in nats an example."""
    return {
        "error": 100 * self.wrong / self.examples,
        "nll": self.nll / self.examples,
    }


def classification(
    logits: Array,
    labels: Array,
    *,
    where: Array | None = None,
) -> Sums:
  """Sums up how well logits predict class ids.

  Args:
    logits: `[batch, classes]` of any floating-point dtype, used in float32.
    labels: `[batch]` integer class ids.
    where: `[batch]` booleans, False for examples that do not count.

  Returns:
    The sums over the examples that count. A label that is NaN-free but out of
    range is always wrong.
  """
  logits = logits.astype(jnp.float32)
  nll = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
  wrong = jnp.argmax(logits, axis=-1) != labels
  counted = jnp.ones_like(wrong) if where is None else where
  add = lambda x: jnp.sum(x.astype(jnp.float32), where=counted)
  return Sums(add(jnp.ones_like(wrong)), add(wrong), add(nll))
