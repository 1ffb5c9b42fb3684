"""Proves that differences to ERM are drawn if there are any."""

from mixup_jax import results


def row(setting, method, paper, value, metric="error (%)"):
  return {
    "setting": setting,
    "method": method,
    "metric": metric,
    "paper": paper,
    "value": value,
    "std": 2.0,
    "n": 4,
    "epochs": 10,
  }


def test_differences(drawn):
  rows = [
    row("a", "ERM", 3.0, 4.0),
    row("a", "mixup, alpha 1", 2.0, 2.5),
    row("a", "mixup, alpha 1", None, -1.5, metric=results.DIFFERENCE),
  ]
  assert drawn({"rows": rows}).std() > 0.01
  assert drawn({"rows": rows[:2]}) is None
