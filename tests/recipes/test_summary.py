"""Tests of rows and curves from the metrics of every seed."""

import numpy as np
import pytest

from mixup_jax import results
from mixup_jax.recipes import summary

MIXUP = results.Method("mixup", "mixup, alpha 1", 1.0)
NAMED = {"setting": "digits", "method": MIXUP}


def lines(*errors):
  return [
    {
      "epoch": 2 * number,
      "test/error": error,
      "train/seconds": 2.0,
      "seconds": 1.0,
    }
    for number, error in enumerate(errors, start=1)
  ]


TRAINED = [lines(30.0, 10.0, 20.0), lines(40.0, 20.0, 40.0)]


def test_last_takes_the_last_line():
  assert summary.last("test/error")(lines(3.0, 1.0, 2.0)) == 2
  assert np.isnan(summary.last("kept/error")(lines(3.0)))


def test_rows_are_means_over_seeds_of_what_each_metric_takes():
  metrics = {
    "last": summary.last("test/error"),
    "best": lambda run: min(line["test/error"] for line in run),
  }
  last, best, seconds = summary.rows(TRAINED, metrics, epochs=3, **NAMED)
  assert (last["metric"], last["value"], last["n"]) == ("last", 30, 2)
  assert last["std"] == pytest.approx(np.std([20, 40], ddof=1), abs=1e-4)
  assert (best["metric"], best["value"]) == ("best", 15)
  assert (seconds["metric"], seconds["value"]) == (summary.SECONDS, 9)
  for row in (last, best, seconds):
    assert (row["setting"], row["epochs"]) == ("digits", 3)
    assert (row["method"], row["key"]) == ("mixup, alpha 1", "mixup")
    assert row["paper"] is None


def test_rows_leave_out_what_was_not_measured():
  metrics = {name: summary.last(name) for name in ("test/error", "kept/error")}
  found = summary.rows(TRAINED, metrics, epochs=3, **NAMED)
  assert [row["metric"] for row in found] == ["test/error", summary.SECONDS]
  TRAINED[0][-1]["kept/error"] = 1.0  # One of two seeds is not enough.
  found = summary.rows(TRAINED, metrics, epochs=3, **NAMED)
  del TRAINED[0][-1]["kept/error"]
  assert [row["metric"] for row in found] == ["test/error", summary.SECONDS]


def test_curves_have_every_measured_epoch_of_every_seed():
  metrics = {"test": "test/error", "kept labels": "kept/error"}
  (curve,) = summary.curves(TRAINED, metrics, **NAMED)
  assert (curve["metric"], curve["epochs"]) == ("test", [2, 4, 6])
  assert curve["values"] == [[30, 10, 20], [40, 20, 40]]
  assert (curve["setting"], curve["method"]) == ("digits", "mixup, alpha 1")
  assert curve["key"] == "mixup"


def test_wall_seconds_are_those_of_all_networks():
  assert summary.wall_seconds([TRAINED, [lines(1.0)]]) == 21
  assert summary.wall_seconds([]) == 0
