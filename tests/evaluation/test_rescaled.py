"""Tests of rescaled predictions against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from mixup_jax.evaluation import rescaled
from tests.evaluation.linear_network import CLASSES
from tests.evaluation.linear_network import examples
from tests.evaluation.linear_network import linear
from tests.evaluation.linear_network import SIZE


def test_mean_larger_weight_is_that_of_the_distribution():
  lam = np.linspace(0, 1, 200_001)
  for alpha in (1.0, 1.5, 4.0, 20.0):
    density = (lam * (1 - lam)) ** (alpha - 1)
    expected = (np.maximum(lam, 1 - lam) * density).sum() / density.sum()
    assert abs(rescaled.mean_larger_weight(alpha) - expected) < 1e-5
  assert rescaled.mean_larger_weight(1.0) == pytest.approx(0.75)
  ends = [rescaled.mean_larger_weight(x) for x in (0.0, 1e-6, 1e6, np.inf)]
  np.testing.assert_allclose(ends, (1, 1, 0.5, 0.5), atol=1e-3)


def test_rescaled_predictions_are_those_of_numpy():
  weights, predict = linear()
  inputs = examples(6, 0)
  mean, shares = examples(1, 2)[0], np.array([0.2, 0.5, 0.3])
  found = rescaled.rescaled_predictions(
    predict, inputs, alpha=1.0, mean_input=mean, mean_target=shares
  )
  shrunk = mean + 0.75 * (inputs - mean)
  moved = scipy.special.softmax(shrunk @ weights, axis=1)
  moved = np.maximum(shares + (moved - shares) / 0.75, 0)
  assert (moved == 0).any() and (moved > 0).all(1).any()
  np.testing.assert_allclose(
    found, moved / moved.sum(1, keepdims=True), atol=1e-5
  )
  same = rescaled.rescaled_predictions(
    predict, inputs, alpha=0.0, mean_input=mean, mean_target=shares
  )
  np.testing.assert_allclose(same, jax.nn.softmax(predict(inputs)), atol=1e-6)


def test_rescaled_predictions_undo_the_shrinking_of_a_linear_fit():
  """What a network that fits shrunken data exactly predicts is the label."""
  labels = np.array([0, 1, 2, 0])
  inputs = np.eye(CLASSES, dtype=np.float32)[labels]
  mean = np.full(CLASSES, 1 / 3, np.float32)

  def predict(x):  # softmax(log x) is x: shrunken inputs, shrunken labels.
    return jnp.log(x)

  found = rescaled.rescaled_predictions(
    predict, inputs, alpha=1.0, mean_input=mean, mean_target=mean
  )
  np.testing.assert_allclose(found, inputs, atol=1e-6)


def test_rescaled_predictions_refuses_other_classes_and_alphas():
  for options, message in (
    ({"alpha": 1.0, "mean_target": np.ones(2) / 2}, r"shape \(2,\) for .*6, 3"),
    ({"alpha": -1.0, "mean_target": np.ones(3) / 3}, "alpha must be .* got -1"),
  ):
    with pytest.raises(ValueError, match=message):
      rescaled.rescaled_predictions(
        linear()[1], examples(6, 0), mean_input=np.zeros(SIZE), **options
      )
