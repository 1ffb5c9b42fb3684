"""Intervals of a number, and of the difference between two of them."""

from typing import Any, Mapping, NamedTuple

import numpy as np
import scipy  # Its parts come as they are used: they are slow to import.

from mixup_jax.results.rows import standard_error

CONFIDENCE = 0.95


class Interval(NamedTuple):
  """A mean, and where it lies with a confidence of 95 %.

  Attributes:
    mean: The mean.
    low: The lower end.
    high: The upper end.
  """

  mean: float
  low: float
  high: float


def interval(row: Mapping[str, Any]) -> Interval | None:
  """Returns the interval of the mean of a row, by Student's t.

  Args:
    row: The row, such as one of paired differences.

  Returns:
    The interval; None of fewer than two runs, which have no spread.
  """
  if row["n"] < 2 or row["value"] is None:
    return None
  return _student(row["value"], standard_error(row), row["n"] - 1)


def margin(row: Mapping[str, Any]) -> float:
  """Returns half the length of `interval`, for the bars of a figure, or 0."""
  found = interval(row)
  return 0.0 if found is None else found.high - found.mean


def difference(
  row: Mapping[str, Any], base: Mapping[str, Any]
) -> Interval | None:
  """Returns the interval of the mean of a row minus that of another.

  Args:
    row: The row of a method.
    base: That of the method it is compared with.

  Returns:
    The interval: of differences seed by seed if both rows have the values of as
    many runs; otherwise of independent means, by Welch's t. None if one of the
    rows has fewer than two runs.
  """
  if min(row["n"], base["n"]) < 2 or None in (row["value"], base["value"]):
    return None
  ours, theirs = row.get("values", []), base.get("values", [])
  if ours and len(ours) == len(theirs):
    each = np.subtract(ours, theirs)
    paired = {**row, "std": each.std(ddof=1)}
    return _student(each.mean(), standard_error(paired), len(each) - 1)
  errors = np.array([standard_error(row), standard_error(base)]) ** 2
  if not errors.any():
    return _student(row["value"] - base["value"], 0.0, 1)
  counts = np.array([row["n"], base["n"]])
  freedom = errors.sum() ** 2 / (errors**2 / (counts - 1)).sum()
  return _student(row["value"] - base["value"], errors.sum() ** 0.5, freedom)


def error_difference(percent: float, base: float, *, examples: int) -> Interval:
  """Returns the interval of the difference of two errors of one network each.

  It holds what the choice of test examples leaves open, and nothing of the
  seeds: each error is binomial, and the two are taken as independent.

  Args:
    percent: The error of a network, in per cent.
    base: That of the network it is compared with.
    examples: The test examples of both.
  """
  variances = [x * (100 - x) / examples for x in (percent, base)]
  return _student(percent - base, sum(variances) ** 0.5, np.inf)


def _student(mean: float, error: float, freedom: float) -> Interval:
  """Returns the interval of a mean with a standard error."""
  quantile = (1 + CONFIDENCE) / 2
  # With infinitely many degrees of freedom t is normal.
  t = (
    scipy.special.stdtrit(freedom, quantile)
    if np.isfinite(freedom)
    else scipy.special.ndtri(quantile)
  )
  half = float(t) * float(error)
  return Interval(float(mean), float(mean) - half, float(mean) + half)
