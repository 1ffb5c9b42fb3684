"""Tests of sums under a mask and their means."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
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
  brier = np.square(probabilities - np.eye(4)[np.asarray(labels)]).sum(1)
  np.testing.assert_allclose(means["brier"], brier.mean(), rtol=1e-5)


def test_means_top5_error_equals_scikit_learn(getkey):
  logits, labels = draw(getkey, classes=9)
  means = metrics.classification(logits, labels).means()
  accuracy = sklearn.metrics.top_k_accuracy_score(
    labels, logits, k=5, labels=range(9)
  )
  np.testing.assert_allclose(
    means["top5_error"], 100 * (1 - accuracy), rtol=1e-5
  )
  few = metrics.classification(logits[:, :4], labels % 4).means()
  assert few["top5_error"] == 0  # Of four classes, all are among five.


def test_classification_of_padded_batches_gives_the_same_sums(getkey):
  logits, labels = draw(getkey)
  whole = metrics.classification(logits, labels)
  where = jnp.arange(64) < 50
  padded = jnp.pad(logits, ((0, 14), (0, 0)), constant_values=jnp.nan)
  ids = jnp.pad(labels, (0, 14))
  parts = [
    metrics.classification(
      padded[i : i + 16], ids[i : i + 16], where=where[i : i + 16]
    )
    for i in range(0, 64, 16)
  ]
  total = jax.tree.map(lambda *x: sum(x), *parts)
  chex.assert_trees_all_close(total, whole, rtol=1e-5)
  chex.assert_tree_all_finite(total)


def test_means_ece_equals_one_by_hand():
  """Two examples of confidence 0.9, one right; two of 0.6, both right."""
  logits = jnp.log(
    jnp.asarray([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
  )
  means = metrics.classification(logits, jnp.asarray([0, 1, 0, 1])).means()
  expected = 100 * (2 / 4 * abs(0.5 - 0.9) + 2 / 4 * abs(1 - 0.6))
  np.testing.assert_allclose(means["ece"], expected, rtol=1e-5)


def test_means_ece_of_many_equals_numpy(getkey):
  logits, labels = draw(getkey, count=2000)
  probabilities = np.asarray(jax.nn.softmax(2 * logits))
  confidence = probabilities.max(1)
  right = probabilities.argmax(1) == np.asarray(labels)
  edges, expected = np.linspace(0, 1, 16), 0.0
  for low, high in zip(edges, edges[1:]):
    inside = (confidence > low) & (confidence <= high)
    if inside.any():
      gap = abs(right[inside].mean() - confidence[inside].mean())
      expected += 100 * inside.mean() * gap
  means = metrics.classification(2 * logits, labels).means()
  np.testing.assert_allclose(means["ece"], expected, rtol=1e-4)


@pytest.mark.parametrize(
  "logits, label",
  [([0.0, 1.0, 2.0], -1), ([0.0, 1.0, 2.0], 3), ([np.nan, 1.0, 2.0], 0)],
)
def test_classification_of_nan_logits_or_a_wrong_label_is_nan(logits, label):
  good, bad = jnp.array([[0.0, 1.0, 2.0]]), jnp.array([logits])
  rows, labels = jnp.concatenate([good, bad]), jnp.array([2, label])
  means = metrics.classification(rows, labels).means()
  assert all(np.isnan(value) for value in means.values()), means
  where = np.array([True, False])
  masked = metrics.classification(rows, labels, where=where)
  for counted in (
    masked,
    metrics.classification(rows, np.array(labels), where=where),
  ):
    chex.assert_trees_all_equal(
      counted, metrics.classification(good, jnp.array([2]))
    )


def test_classification_refuses_a_single_class():
  with pytest.raises(ValueError, match="2 logits"):
    metrics.classification(jnp.zeros((2, 1)), jnp.array([0, 0]))
