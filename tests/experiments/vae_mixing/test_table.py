"""Proves the rows: means, paired differences, and their test."""

import numpy as np
import scipy.stats

from configs import vae_mixing as configs
from experiments.vae_mixing import table
from mixup_jax import results

CONFIG = configs.get_config()
VAE = {
  "elbo": np.array([-3.0, -5.0]),
  "left": np.ones(2),
  "whole": np.full(2, 4),
}
ERRORS = {
  "erm": np.array([5.0, 6.0, 9.0]),
  "mixup": np.array([4.0, 3.0, 5.0]),
  "codes": np.array([4.0, 3.0, 5.0]),
}


def rows(errors):
  return {
    (row["method"], row["metric"]): row
    for row in table.rows(CONFIG, "digits", VAE, errors)
  }


def test_rows():
  found = rows(ERRORS)
  assert found["input mixup", table.ERROR]["value"] == 4
  difference = found["ERM", table.DIFFERENCE]
  assert abs(difference["value"] - 8 / 3) < 1e-4 and difference["n"] == 3
  p = found["ERM", results.P_VALUE]
  expected = scipy.stats.ttest_rel(ERRORS["erm"], ERRORS["mixup"]).pvalue
  assert abs(p["value"] - expected) < 1e-3 * expected and p["n"] == 3
  assert results.mean_and_error(p) == f"{expected:.3f}"
  assert found["VAE codes, mixed", results.P_VALUE]["value"] == 1
  assert ("input mixup", table.DIFFERENCE) not in found
  assert found["the VAE", table.ELBO]["value"] == -4
  assert found["the VAE", table.LEFT]["value"] == 25


def test_what_cannot_be_compared_is_not():
  alone = rows({name: error[:1] for name, error in ERRORS.items()})
  assert ("ERM", table.DIFFERENCE) in alone
  assert ("ERM", results.P_VALUE) not in alone
  without = rows({"erm": ERRORS["erm"]})
  assert ("ERM", table.ERROR) in without
  assert ("ERM", table.DIFFERENCE) not in without
