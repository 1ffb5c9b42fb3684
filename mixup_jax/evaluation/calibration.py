"""How far the confidence of a classifier is what it should be.

Numbers of the host, from all logits of a set: what `metrics` sums up batch by
batch is there.
"""

from typing import NamedTuple

import numpy as np
import scipy.optimize
import scipy.special

BINS = 15  # As in Guo et al.
# Beyond these a temperature says that the examples fix none: all of them are
# classified rightly, or no better than by chance.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0


class Reliability(NamedTuple):
  """What became of the predictions in each bin of confidence.

  Attributes:
    confidence: `[bins]`, their mean confidence; NaN for an empty bin.
    accuracy: `[bins]`, the share of them that was right; NaN likewise.
    share: `[bins]`, how many of all predictions they are.
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
  """Returns how sure a classifier was, and where it was right.

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
  """Sorts predictions into bins of equally many, from the least confident on.

  Of a network that is nearly always sure, those of equal width are nearly
  empty, all but one.

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
  """Finds the temperature that makes labels most likely.

      p = softmax(logits / T)

  In 1 / T the negative log-likelihood is convex, so that its slope has one zero
  at most.

  Args:
    logits: `[examples, classes]` floats, of examples that the network was not
      trained on, and is not tested on.
    labels: `[examples]` class ids.

  Returns:
    The temperature, from `LOWEST_TEMPERATURE` to `HIGHEST_TEMPERATURE`; above 1
    the network was too sure of itself.

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
  """Raises unless there is a label for each row, and it is a class."""
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
