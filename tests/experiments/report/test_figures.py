"""Proves that figures are drawn, of what there is to draw."""

import matplotlib.image
import pytest

from experiments.report import figures
from mixup_jax import results


@pytest.fixture
def drawn(tmp_path):

  def draw(result):
    path = tmp_path / "figure.png"
    path.unlink(missing_ok=True)
    figures.draw(result, path)
    return matplotlib.image.imread(path) if path.exists() else None

  return draw


def row(setting, method, paper, value, metric="error (%)"):
  return {
      "setting": setting, "method": method, "metric": metric, "paper": paper,
      "value": value, "std": 2.0, "n": 4, "epochs": 10
  }  # yapf: disable


def test_differences(drawn):
  rows = [
      row("a", "ERM", 3.0, 4.0),
      row("a", "mixup, alpha 1", 2.0, 2.5),
      row("a", "mixup, alpha 1", None, -1.5, metric=results.DIFFERENCE),
  ]
  assert drawn({"rows": rows}).std() > 0.01
  assert drawn({"rows": rows[:2]}) is None


def test_curves(drawn):
  curve = lambda setting, method, metric: {
      "setting": setting, "method": method, "metric": metric,
      "epochs": [1, 2, 3], "values": [[3.0, 2.0, 1.0], [4.0, 2.5, 1.5]]
  }  # yapf: disable
  one = [
      curve("digits", method, metric)
      for method in ("ERM", "mixup, alpha 1")
      for metric in ("test error (%)", "training error (%)")
  ]
  narrow = drawn({"rows": [], "curves": one})
  wide = drawn({"rows": [], "curves": one + [curve("cifar10", "ERM", "test")]})
  assert wide.shape[1] > 1.5 * narrow.shape[1]
