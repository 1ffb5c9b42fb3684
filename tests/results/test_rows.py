"""Tests of summarizing, describing and comparing the values of runs."""

import numpy as np
import pytest
import scipy.stats

from mixup_jax import results
from mixup_jax.results.rows import family

ROW = results.Row(
  setting="iris",
  method="ERM",
  key="erm",
  metric="test error (%)",
  paper=None,
  value=14.43,
  std=5.0,
  n=25,
  epochs=10,
)


def test_summarize_returns_mean_and_standard_deviation():
  names = {key: ROW[key] for key in ("setting", "metric")}
  names["method"] = results.ERM
  row = results.summarize([10.0, 20.0, 30.0], epochs=10, **names)
  values = [10.0, 20.0, 30.0]
  assert row == {**ROW, "value": 20.0, "std": 10.0, "n": 3, "values": values}
  row = results.summarize([14.43], epochs=10, **names)
  assert row == {**ROW, "std": 0.0, "n": 1}


def test_summarize_of_no_runs_has_no_value():
  row = results.summarize(
    [],
    setting="cifar10",
    method=results.ERM,
    metric="test error (%)",
    epochs=200,
  )
  assert row["value"] is None and row["n"] == 0
  assert (row["method"], row["key"]) == ("ERM", "erm")


def test_summarize_keeps_the_overlap_of_splits():
  names = {"setting": "iris", "metric": "error", "method": results.ERM}
  row = results.summarize([1.0, 3.0], epochs=1, overlap=0.25, **names)
  assert row["overlap"] == 0.25
  for values, overlap in (([1.0], 0.25), ([1.0, 3.0], 0.0)):
    row = results.summarize(values, epochs=1, overlap=overlap, **names)
    assert "overlap" not in row


def test_standard_error_is_corrected_for_overlapping_splits():
  assert results.standard_error(ROW) == pytest.approx(5 / 25**0.5)
  # As if one run in five were independent: 1 / 25 + 0.2.
  row = {**ROW, "overlap": 0.2}
  assert results.standard_error(row) == pytest.approx(5 * 0.24**0.5)


@pytest.mark.parametrize(
  "numbers, words",
  (
    ([(4, 10), (4, 10)], "Mean ± standard error, n = 4, 10 epochs"),
    ([(1, 10)], "n = 1, 10 epochs"),
    (
      [(1, 0), (5, 20), (0, 200)],
      "Mean ± standard error, n = 1 or 5, 20 epochs",
    ),
    ([(0, 200)], "No run has ended"),
    ([], "No run has ended"),
  ),
)
def test_describe_runs_counts_what_was_run(numbers, words):
  rows = [{**ROW, "n": n, "epochs": epochs} for n, epochs in numbers]
  assert results.describe_runs(rows) == words


def test_describe_runs_names_the_correction():
  rows = [ROW, {**ROW, "overlap": 1.0}]
  assert results.describe_runs(rows) == (
    "Mean ± standard error of overlapping splits (Nadeau and Bengio), n = 25, "
    "10 epochs"
  )


def test_family_is_the_label_or_the_key():
  mixups = [
    {**ROW, **results.Method("mixup_late", f"mixup, alpha {alpha}").names()}
    for alpha in (1, 2)
  ]
  assert family(mixups[:1]) == "mixup, alpha 1"
  assert family(mixups) == "mixup late"


def test_paired_t_test_is_students():
  differences = np.random.default_rng(0).normal(0.3, 1.0, 20)
  expected = scipy.stats.ttest_1samp(differences, 0).pvalue
  assert abs(results.paired_t_test(differences) - expected) < 1e-9
  assert results.paired_t_test(-differences) == results.paired_t_test(
    differences
  )
  assert results.paired_t_test([0.0, 0.0]) == 1
  assert results.paired_t_test([2.0, 2.0]) == 0


def test_paired_t_test_is_corrected_for_overlapping_splits():
  differences = np.random.default_rng(0).normal(0.3, 1.0, 20)
  t = differences.mean() / (differences.std(ddof=1) * (1 / 20 + 0.5) ** 0.5)
  expected = 2 * scipy.stats.t.sf(abs(t), 19)
  found = results.paired_t_test(differences, overlap=0.5)
  assert abs(found - expected) < 1e-9
