"""Calibration of a classifier: reliability diagrams and temperature scaling.

It works on the host, with the logits of a whole set; `mixup_jax.metrics` has
what is summed up batch by batch.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy  # Its parts come as they are used: they are slow to import.

from mixup_jax import metrics

BINS = 15  # As in Guo et al.
# A temperature at a bound is not determined by the examples: all of them are
# classified rightly, or no better than by chance.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0


class Reliability(NamedTuple):
  """A reliability diagram.

  Attributes:
    confidence: `[bins]`, the mean confidence of the predictions in each bin;
      NaN for an empty bin.
    accuracy: `[bins]`, the share of them that is right; NaN likewise.
    share: `[bins]`, their share of all predictions.
  """

  confidence: np.ndarray
  accuracy: np.ndarray
  share: np.ndarray

  def error(self) -> float:
    """Returns the expected calibration error, from 0 to 1."""
    return float(
      np.nansum(self.share * np.abs(self.confidence - self.accuracy))
    )


def predictions(
  logits: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Returns the confidence of each prediction, and whether it is right.

  Args:
    logits: `[examples, classes]` floats.
    labels: `[examples]` class ids.

  Returns:
    `[examples]` float64 probabilities of the most probable class, and
    `[examples]` booleans.

  Raises:
    ValueError: If a label is no class.
  """
  _check(logits, labels)
  probabilities = scipy.special.softmax(np.asarray(logits, np.float64), axis=1)
  return probabilities.max(1), probabilities.argmax(1) == labels


def equal_width(
  confidence: np.ndarray, right: np.ndarray, *, bins: int = BINS
) -> Reliability:
  """Sorts predictions into bins of equal width, open below and closed above.

  Args:
    confidence: `[examples]` probabilities of the most probable class.
    right: `[examples]` booleans.
    bins: The number of bins between 0 and 1.

  Returns:
    The bins.

  References:
    Naeini et al., Obtaining well calibrated probabilities using Bayesian
    binning, AAAI 2015; Guo et al., On calibration of modern neural networks,
    ICML 2017, eq. 3.
  """
  of_bin = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
  return _reliability(confidence, right, of_bin, bins)


def equal_mass(
  confidence: np.ndarray, right: np.ndarray, *, bins: int = BINS
) -> Reliability:
  """Sorts predictions into bins of equally many, by rising confidence.

  Where confidence is nearly always high, nearly all bins of equal width are
  empty.

  Args:
    confidence: `[examples]` probabilities of the most probable class.
    right: `[examples]` booleans.
    bins: The number of bins.

  Returns:
    The bins.

  References:
    Nixon et al., Measuring calibration in deep learning, CVPR workshops 2019.
  """
  rank = np.empty(len(confidence), int)
  rank[np.argsort(confidence, kind="stable")] = np.arange(len(confidence))
  return _reliability(confidence, right, rank * bins // len(confidence), bins)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
  """Finds the temperature that maximizes the likelihood of the labels.

      p = softmax(logits / T)

  The negative log-likelihood is convex in 1 / T: its slope has at most one
  zero.

  Args:
    logits: `[examples, classes]` floats, of examples that the network is
      neither trained nor tested on.
    labels: `[examples]` class ids.

  Returns:
    The temperature, from `LOWEST_TEMPERATURE` to `HIGHEST_TEMPERATURE`; above 1
    the network is overconfident.

  Raises:
    ValueError: If a label is no class.

  References:
    Guo et al., On calibration of modern neural networks, ICML 2017, section
    4.2.
  """
  _check(logits, labels)
  logits = np.asarray(logits, np.float64)
  own = np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]

  def slope(beta: float) -> float:
    expected = (scipy.special.softmax(beta * logits, axis=1) * logits).sum(1)
    return float(np.mean(expected - own))

  low, high = 1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE
  if slope(low) >= 0:
    return HIGHEST_TEMPERATURE
  if slope(high) <= 0:
    return LOWEST_TEMPERATURE
  return 1 / scipy.optimize.brentq(slope, low, high)


def measure(
  logits: np.ndarray, labels: np.ndarray, *, temperature: float = 1.0
) -> dict[str, float]:
  """Measures the error and the calibration of logits at a temperature.

  Args:
    logits: `[examples, classes]` float32.
    labels: `[examples]` int32 class ids.
    temperature: What the logits are divided by.

  Returns:
    Numbers by name and unit; the temperature is the last one.

  Raises:
    ValueError: If a label is no class.
  """
  scaled = logits / np.float32(temperature)
  confidence, right = predictions(scaled, labels)
  with jax.transfer_guard("allow"):  # Small arrays, and outside of a step.
    sums = metrics.classification(jnp.asarray(scaled), jnp.asarray(labels))
    means = {name: float(x) for name, x in sums.means().items()}
  return {
    "test error (%)": means["error"],
    "NLL (nats)": means["nll"],
    "Brier score": means["brier"],
    "ECE, equal width (%)": means["ece"],
    "ECE, equal mass (%)": 100 * equal_mass(confidence, right).error(),
    "confidence minus accuracy (%)": 100
    * float(np.mean(confidence) - np.mean(right)),
    "temperature": temperature,
  }


def _reliability(
  confidence: np.ndarray, right: np.ndarray, of_bin: np.ndarray, bins: int
) -> Reliability:
  """Returns the means of each bin."""

  def sums(weights: np.ndarray | None) -> np.ndarray:
    return np.bincount(of_bin, weights, minlength=bins)

  count = sums(np.ones(len(confidence)))
  with np.errstate(invalid="ignore"):  # An empty bin has no mean.
    return Reliability(
      sums(confidence) / count,
      sums(right.astype(float)) / count,
      count / len(confidence),
    )


def _check(logits: np.ndarray, labels: np.ndarray) -> None:
  """Raises ValueError unless each row has a label that is a class."""
  if len(logits) != len(labels) or not len(labels):
    raise ValueError(
      f"there are logits of {len(logits)} examples and "
      f"{len(labels)} labels: give one for each of some."
    )
  outside = (labels < 0) | (labels >= logits.shape[1])
  if outside.any():
    raise ValueError(
      f"label {labels[outside][0]} is no class: there are "
      f"{logits.shape[1]}, from 0 on."
    )
