"""Tests of intervals of means and of differences."""

import numpy as np
import pytest
import scipy.stats

from mixup_jax import results

ERM = [38.0, 36.5, 41.0, 39.5]
MIXUP = [36.0, 35.5, 37.0, 38.5]


def row(values, **options):
  return results.summarize(
    values, setting="s", method=results.ERM, metric="m", epochs=1, **options
  )


def without_values(values):
  made = row(values)
  del made["values"]
  return made


def test_interval_is_students():
  found = results.interval(row(ERM))
  error = np.std(ERM, ddof=1) / 2
  low, high = scipy.stats.t.interval(0.95, 3, np.mean(ERM), error)
  assert found == pytest.approx((np.mean(ERM), low, high), abs=1e-3)
  assert results.margin(row(ERM)) == pytest.approx((high - low) / 2, abs=1e-3)
  assert results.interval(row([38.0])) is None
  assert results.margin(row([38.0])) == 0


def test_difference_is_paired_where_the_seeds_are():
  found = results.difference(row(MIXUP), row(ERM))
  want = scipy.stats.ttest_rel(MIXUP, ERM).confidence_interval(0.95)
  assert found == pytest.approx((-2.0, want.low, want.high))


def test_difference_of_overlapping_splits_is_wider():
  alone = results.difference(row(MIXUP), row(ERM))
  found = results.difference(row(MIXUP, overlap=0.75), row(ERM, overlap=0.75))
  # (1 / 4 + 3 / 4) / (1 / 4): twice the error.
  assert found.high - found.mean == pytest.approx(2 * (alone.high - alone.mean))


@pytest.mark.parametrize("base", [row(ERM[:3]), without_values(ERM)])
def test_difference_without_pairs_is_welchs(base):
  values = ERM[: base["n"]]
  found = results.difference(row(MIXUP), base)
  want = scipy.stats.ttest_ind(MIXUP, values, equal_var=False)
  want = want.confidence_interval(0.95)
  assert found[1:] == pytest.approx((want.low, want.high), abs=1e-3)


def test_difference_of_equal_values_has_no_width():
  same = without_values([2.0, 2.0])
  assert results.difference(same, same) == (0.0, 0.0, 0.0)


def test_difference_needs_two_runs_of_each():
  assert results.difference(row(MIXUP), row([38.0])) is None
  assert results.difference(row([]), row(ERM)) is None


def test_error_difference_is_binomial():
  found = results.error_difference(4.25, 5.65, examples=10_000)
  half = 1.96 * (4.25 * 95.75 / 10_000 + 5.65 * 94.35 / 10_000) ** 0.5
  assert found == pytest.approx((-1.4, -1.4 - half, -1.4 + half), abs=1e-4)
