"""Tests of the differences to ERM, ours beside the paper's."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax import results
from mixup_jax.results.figures import _differences
from mixup_jax.results.figures import _style


def row(setting, method, paper, value, metric="error (%)"):
  return {
    "setting": setting,
    "method": method,
    "key": "erm" if method == "ERM" else "mixup",
    "metric": metric,
    "paper": paper,
    "value": value,
    "std": 2.0,
    "n": 4,
    "epochs": 10,
  }


def test_draw_needs_differences(drawn):
  rows = [
    row("a", "ERM", 3.0, 4.0),
    row("a", "mixup, alpha 1", 2.0, 2.5),
    row("a", "mixup, alpha 1", None, -1.5, metric=results.DIFFERENCE),
  ]
  assert drawn({"rows": rows}).std() > 0.01
  assert drawn({"rows": rows[:2]}) is None


def test_draw_shows_the_papers_difference(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  rows = [
    row("a", "ERM", 3.0, 4.0),
    *(row("a", f"mixup, alpha {alpha}", 2.0, 2.5) for alpha in (1, 2)),
    row("b", "ERM", None, 4.0),
    *(
      row(setting, "mixup, alpha 1", None, value, metric=results.DIFFERENCE)
      for setting, value in (("a", -1.5), ("b", 0.5), ("c", None))
    ),
  ]
  _differences.draw({"rows": rows}, tmp_path / "x.png")
  (axes,) = drawn[0].axes
  diamonds = next(x for x in axes.lines if x.get_label() == "paper")
  np.testing.assert_array_equal(diamonds.get_xdata(), [-1, np.nan])
  names = [text.get_text() for text in axes.get_yticklabels()]
  assert names == ["a", "b"]  # That of c has no value.
  plt.close(drawn[0])
