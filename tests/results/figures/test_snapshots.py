"""Tests of snapshots: a block for each method, a row for each setting."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results import encoding
from mixup_jax.results.figures import _snapshots
from mixup_jax.results.figures import _style

REAL = np.array([[-1.0, 0.0], [1.0, 2.0]])


def test_draw_shows_points_in_the_window_of_the_data(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  snapshots = [
    {
      "setting": setting,
      "method": method,
      "key": method.lower(),
      "iterations": [10, 1000],
      "real": encoding.encode_points(REAL),
      "fake": [
        encoding.encode_points(REAL + 9),
        encoding.encode_points(REAL + 0.1),
      ],
    }
    for method in ("ERM", "mixup")
    for setting in ("grid", "ring")
  ]
  _snapshots.draw({"snapshots": snapshots}, tmp_path / "x.png")
  panels = [axes for axes in drawn[0].axes if axes.collections]
  assert len(panels) == 8
  assert [axes.get_title() for axes in panels[:4]] == ["10", "1,000"] * 2
  texts = [text.get_text() for axes in panels for text in axes.texts]
  assert texts == ["ERM", "mixup"]
  for axes in panels:  # The window is that of the real points.
    np.testing.assert_allclose(axes.get_xlim(), (-1.25, 1.25))
    np.testing.assert_allclose(axes.get_ylim(), (-0.25, 2.25))
  real, fake = panels[1].collections
  np.testing.assert_allclose(real.get_offsets(), REAL)
  np.testing.assert_allclose(fake.get_offsets(), REAL + 0.1)
  plt.close(drawn[0])
