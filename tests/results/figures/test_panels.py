"""Tests of panels of curves, named at their ends."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results import figures
from mixup_jax.results.figures import _panels
from mixup_jax.results.figures import _style


def panel(*lasts):
  lines = [
    {
      "name": f"m{index}",
      "key": ("erm", "mixup", "cutmix")[index],
      "x": [1, 2],
      "values": [[50.0, last - 1], [50.0, last + 1]],
    }
    for index, last in enumerate(lasts)
  ]
  return {
    "title": "a",
    "x": "epoch",
    "y": "error (%)",
    "limit": 100,
    "decimals": 1,
    "lines": lines,
  }


def test_draw_names_lines_at_their_ends_apart(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  panels = [panel(40.0, 20.0), panel(91.8, 88.8, 90.0)]
  _panels.draw(panels, tmp_path / "x.png")
  far, close = drawn[0].axes
  named = [(text.get_text(), text.xy[1]) for text in far.texts]
  assert named == [("m1 20.0", 0.2), ("m0 40.0", 0.4)]
  assert [text.get_text() for text in close.texts] == [
    "m1 88.8",
    "m2 90.0",
    "m0 91.8",
  ]
  heights = [text.xy[1] for text in close.texts]
  np.testing.assert_allclose(np.diff(heights), _panels.APART)
  assert [text.get_color() for text in far.texts] == ["tab:orange", "tab:blue"]
  np.testing.assert_array_equal(far.lines[0].get_ydata(), [50, 40])
  assert far.get_ylim() == (0, 100)
  plt.close(drawn[0])


def test_draw_panels_writes_a_picture_of_each_panel(tmp_path):
  path = tmp_path / "x.png"
  figures.draw_panels([], path)
  assert not path.exists()
  widths = []
  for count in (1, 2):
    figures.draw_panels([panel(40.0, 20.0)] * count, path)
    widths.append(plt.imread(path).shape[1])
  assert widths[1] > 1.7 * widths[0]
