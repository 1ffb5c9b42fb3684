"""Tests of bins by hand and brute force, and of temperatures by scipy."""

import jax
import numpy as np
import pytest
import scipy.optimize
import scipy.special

from mixup_jax import metrics
from mixup_jax.evaluation import calibration


def draw(count=2000, classes=5, scale=1.0, seed=0):
  """Returns logits, scaled, and labels that their softmax has drawn."""
  rng = np.random.default_rng(seed)
  logits = 2 * rng.normal(size=(count, classes))
  labels = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
  return scale * logits, labels


def test_equal_width_by_hand():
  confidence = np.array([0.1, 0.5, 0.55, 0.9, 1.0])
  right = np.array([False, True, False, True, True])
  bins = calibration.equal_width(confidence, right, bins=2)
  np.testing.assert_allclose(bins.confidence, [0.3, 2.45 / 3])
  np.testing.assert_allclose(bins.accuracy, [0.5, 2 / 3])
  np.testing.assert_allclose(bins.share, [0.4, 0.6])
  np.testing.assert_allclose(bins.error(), 0.4 * 0.2 + 0.6 * 0.15)
  empty = calibration.equal_width(confidence, right, bins=20)
  assert np.isnan(empty.accuracy).any() and empty.error() > 0


def test_equal_mass_by_hand():
  confidence = np.array([0.9, 0.2, 0.8, 0.3])
  right = np.array([True, False, False, True])
  bins = calibration.equal_mass(confidence, right, bins=2)
  np.testing.assert_allclose(bins.confidence, [0.25, 0.85])
  np.testing.assert_allclose(bins.accuracy, [0.5, 0.5])
  np.testing.assert_allclose(bins.share, [0.5, 0.5])
  np.testing.assert_allclose(bins.error(), 0.3)
  # Of 100 equal confidences each bin still has its part.
  flat = calibration.equal_mass(np.full(100, 0.7), np.arange(100) < 70)
  assert np.ptp(100 * flat.share) < 1.001


def test_equal_width_is_what_metrics_sums_up():
  logits, labels = draw()
  found = calibration.equal_width(*calibration.predictions(logits, labels))
  means = metrics.classification(np.float32(logits), np.int32(labels)).means()
  np.testing.assert_allclose(100 * found.error(), means["ece"], rtol=1e-4)


@pytest.mark.parametrize(
  "bins", (calibration.equal_width, calibration.equal_mass)
)
def test_error_of_a_calibrated_classifier_is_that_of_chance(bins):
  errors = [
    bins(*calibration.predictions(*draw(count, seed=1))).error()
    for count in (1000, 100_000)
  ]
  # The absolute value makes noise an error: it falls with the root of n.
  assert errors[1] < 0.006 and errors[0] > 3 * errors[1]
  sure = calibration.predictions(*draw(scale=3.0))
  assert bins(*sure).error() > 0.15


@pytest.mark.parametrize("scale", (0.5, 1.0, 4.0))
def test_fit_temperature_undoes_a_scale(scale):
  logits, labels = draw(20_000, scale=scale)
  np.testing.assert_allclose(
    calibration.fit_temperature(logits, labels), scale, rtol=0.03
  )


def test_fit_temperature_finds_the_minimum():
  logits, labels = draw(300, scale=2.5)

  def nll(temperature):
    logs = scipy.special.log_softmax(logits / temperature, axis=1)
    return -logs[np.arange(300), labels].mean()

  expected = scipy.optimize.minimize_scalar(
    nll, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-8}
  )
  found = calibration.fit_temperature(logits, labels)
  np.testing.assert_allclose(found, expected.x, rtol=1e-5)


def test_fit_temperature_that_is_not_determined_ends_at_a_bound():
  logits = np.eye(3)[[0, 1, 2, 1]]
  assert (
    calibration.fit_temperature(logits, np.array([0, 1, 2, 1]))
    == calibration.LOWEST_TEMPERATURE
  )
  assert (
    calibration.fit_temperature(logits, np.array([1, 2, 0, 0]))
    == calibration.HIGHEST_TEMPERATURE
  )


def test_measure_is_of_the_scaled_logits():
  logits = np.log(np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)) * 2
  labels = np.array([0, 1], np.int32)
  with jax.transfer_guard("disallow"):
    found = calibration.measure(logits, labels, temperature=2.0)
  np.testing.assert_allclose(found["test error (%)"], 50)
  np.testing.assert_allclose(
    found["NLL (nats)"], -np.log([0.9, 0.4]).mean(), rtol=1e-5
  )
  np.testing.assert_allclose(found["Brier score"], (0.02 + 0.72) / 2, rtol=1e-5)
  np.testing.assert_allclose(
    found["confidence minus accuracy (%)"], 25, rtol=1e-5
  )
  # Bins of a prediction each: gaps of 0.1 and 0.6.
  for name in ("ECE, equal width (%)", "ECE, equal mass (%)"):
    np.testing.assert_allclose(found[name], 35, rtol=1e-5)
  assert list(found)[-1] == "temperature" and found["temperature"] == 2


def test_predictions_and_fit_temperature_refuse_bad_labels():
  with pytest.raises(ValueError, match="label 3 is no class: there are 3"):
    calibration.fit_temperature(np.zeros((2, 3)), np.array([0, 3]))
  with pytest.raises(ValueError, match="logits of 2 examples and 1 labels"):
    calibration.predictions(np.zeros((2, 3)), np.array([0]))
