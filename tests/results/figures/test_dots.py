"""Tests of dots, for the methods that have values alone."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _dots
from mixup_jax.results.figures import _style

LAYOUT = {"lines": "method", "columns": "setting", "metrics": ["error (%)"]}


def row(setting, method, paper, value):
  count = 0 if value is None else 2
  return {
    "setting": setting,
    "method": method,
    "metric": "error (%)",
    "paper": paper,
    "value": value,
    "std": 0.2,
    "n": count,
    "epochs": 10,
  }


def test_draw_needs_a_line_for_each_method(drawn):
  rows = [
    row("1e-4", "ERM", 5.53, 5.6),
    row("5e-4", "ERM", 5.18, None),
    row("1e-4", "mixup", 4.24, 4.3),
    row("1e-4", "noise", 6.4, None),
  ]
  two = drawn({"rows": rows, "layout": LAYOUT})
  assert two.std() > 0.01
  rows.append(row("5e-4", "noise", 7.0, 7.2))
  three = drawn({"rows": rows, "layout": LAYOUT})
  assert three.shape[0] > two.shape[0]
  assert drawn({"rows": rows, "layout": {**LAYOUT, "lines": "metric"}}) is None


def test_draw_shows_the_papers_number(drawn):
  rows = [row("1e-4", "ERM", None, 5.6)]
  alone = drawn({"rows": rows, "layout": LAYOUT})
  beside = drawn({"rows": [{**rows[0], "paper": 5.53}], "layout": LAYOUT})
  assert alone.shape != beside.shape or alone.mean() > beside.mean()


def test_draw_leaves_out_settings_without_values(drawn):
  rows = [row("digits", "ERM", None, 5.6)]
  alone = drawn({"rows": rows, "layout": LAYOUT})
  rows.append(row("cifar10", "ERM", 5.53, None))
  assert (drawn({"rows": rows, "layout": LAYOUT}) == alone).all()


def test_draw_shows_standard_errors_and_says_so(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  rows = [row("1e-4", "ERM", None, 5.6)]
  _dots.draw({"rows": rows, "layout": LAYOUT}, tmp_path / "x.png")
  (axes,) = drawn[0].axes
  ((bar,),) = (found.get_segments() for found in axes.collections)
  np.testing.assert_allclose(np.ptp(bar[:, 0]), 2 * 0.2 / 2**0.5)
  title = axes.get_title(loc="left")
  assert title == "Mean ± standard error, n = 2, 10 epochs"
  plt.close(drawn[0])
