"""Proves how values of runs are summed up, and tested in pairs."""

import numpy as np
import scipy.stats

from mixup_jax import results

ROW = results.Row(
  setting="iris",
  method="ERM",
  key="ERM",
  metric="test error (%)",
  paper=21.3,
  value=14.43,
  std=5.0,
  n=25,
  epochs=10,
)


def test_runs_are_summed_up_as_mean_and_standard_deviation():
  names = {key: ROW[key] for key in ("setting", "method", "metric", "paper")}
  row = results.summarize([10.0, 20.0, 30.0], epochs=10, **names)
  assert row == {**ROW, "value": 20.0, "std": 10.0, "n": 3}
  row = results.summarize([14.43], epochs=10, **names)
  assert row == {**ROW, "std": 0.0, "n": 1}


def test_the_paired_test_is_students():
  differences = np.random.default_rng(0).normal(0.3, 1.0, 20)
  expected = scipy.stats.ttest_1samp(differences, 0).pvalue
  assert abs(results.paired_t_test(differences) - expected) < 1e-9
  assert results.paired_t_test(-differences) == results.paired_t_test(
    differences
  )
  assert results.paired_t_test([0.0, 0.0]) == 1
  assert results.paired_t_test([2.0, 2.0]) == 0
