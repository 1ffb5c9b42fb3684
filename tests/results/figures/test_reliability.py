"""Tests of reliability diagrams, in the colours of their methods."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _reliability
from mixup_jax.results.figures import _style


def diagram(method):
  return {
    "setting": "digits",
    "method": method,
    "key": "mixup" if "mixup" in method else "erm",
    "confidence": [0.3, 0.9],
    "accuracy": [0.5, 0.8],
    "share": [0.25, 0.75],
    "error": 12.5,
  }


METHODS = ("ERM", "ERM, temperature scaled", "mixup, alpha 1")


def test_draw_gives_each_method_a_diagram(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  _reliability.draw(
    {"reliability": [diagram(m) for m in METHODS]}, tmp_path / "x.png"
  )
  above, below = drawn[0].axes[:3], drawn[0].axes[3:]
  assert [a.get_title("left").replace("\n", " ") for a in above] == list(
    METHODS
  )
  for axes in above:
    diagonal, line = axes.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_array_equal(line.get_ydata(), [0.5, 0.8])
    assert axes.texts[0].get_text() == "ECE 12.5 %"
  colors = [axes.lines[1].get_color() for axes in above]
  assert colors[0] == colors[1] != colors[2]
  assert [bar.get_height() for bar in below[0].patches] == [25, 75]
  plt.close(drawn[0])
