"""Tests of the curves in between, ours beside the paper's."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _pairs


def curve(method, metric):
  return {
    "setting": "digits",
    "method": method,
    "key": method.split(",")[0].lower(),
    "metric": metric,
    "lam": [0.0, 0.5, 1.0],
    "values": [[0.0, 4.0, 0.0], [2.0, 6.0, 0.0]],
    "paper": [1.0, 9.0, 1.0],
  }


def test_draw_gives_each_metric_a_panel():
  figure, panels = plt.subplots(1, 2)
  _pairs.draw(
    [
      curve(method, metric)
      for method in ("ERM", "mixup, alpha 1")
      for metric in ("misses (%)", "gradient norm")
    ],
    panels,
  )
  for axes, metric in zip(panels, ("misses (%)", "gradient norm")):
    erm, paper, mixup, _ = axes.lines
    np.testing.assert_array_equal(erm.get_ydata(), [1, 5, 0])
    np.testing.assert_array_equal(paper.get_ydata(), [1, 9, 1])
    np.testing.assert_array_equal(paper.get_xdata(), [0, 0.5, 1])
    assert paper.get_color() == erm.get_color() != mixup.get_color()
    assert (erm.get_color(), mixup.get_color()) == ("tab:blue", "tab:orange")
    assert axes.get_ylabel() == metric
  assert panels[0].get_title("left") == "digits; 2 seeds, mean and range"
  plt.close(figure)


def test_draw_of_a_method_that_the_paper_does_not_have():
  figure, panels = plt.subplots(1, 1, squeeze=False)
  _pairs.draw([{**curve("cutmix", "misses (%)"), "paper": []}], panels[0])
  (line,) = panels[0, 0].lines
  assert line.get_label() == "cutmix"
  plt.close(figure)
