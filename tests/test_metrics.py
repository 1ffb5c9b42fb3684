"""Proves that sums under a mask do not depend on how data is batched."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import sklearn.metrics

from mixup_jax import metrics


def draw(getkey, count=50, classes=4):
  logits = jax.random.normal(getkey(), (count, classes))
  return logits, jax.random.randint(getkey(), (count,), 0, classes)


def test_means_equal_scikit_learn(getkey):
  logits, labels = draw(getkey)
  means = metrics.classification(logits, labels).means()
  accuracy = sklearn.metrics.accuracy_score(labels, logits.argmax(1))
  probabilities = np.exp(np.asarray(logits, np.float64))
  probabilities /= probabilities.sum(1, keepdims=True)
  nll = sklearn.metrics.log_loss(labels, probabilities, labels=range(4))
  np.testing.assert_allclose(means["error"], 100 * (1 - accuracy), rtol=1e-5)
  np.testing.assert_allclose(means["nll"], nll, rtol=1e-5)


def test_padded_batches_give_the_same_sums(getkey):
  logits, labels = draw(getkey)
  whole = metrics.classification(logits, labels)
  where = jnp.arange(64) < 50
  padded = jnp.pad(logits, ((0, 14), (0, 0)), constant_values=jnp.nan)
  ids = jnp.pad(labels, (0, 14))
  parts = [
      metrics.classification(padded[i:i + 16],
                             ids[i:i + 16],
                             where=where[i:i + 16]) for i in range(0, 64, 16)
  ]
  total = jax.tree.map(lambda *x: sum(x), *parts)
  chex.assert_trees_all_close(total, whole, rtol=1e-5)
  chex.assert_tree_all_finite(total)
