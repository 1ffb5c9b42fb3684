"""Tests of the decision surface: a panel a method, with class 1 shaded."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _plane


def test_draw_shades_class_1():
  plane = {
    "limit": 1.2,
    "points": [["0.5 -1.0", "-0.5 -1.0"], ["0.000 1.000"]],
    "percent": {"ERM": ["0 0", "100 100"], "mixup": ["40 40", "60 60"]},
  }
  figure, panels = plt.subplots(1, 2)
  _plane.draw(plane, panels)
  assert [axes.get_title("left") for axes in panels] == ["ERM", "mixup"]
  images = [axes.images[0] for axes in panels]
  np.testing.assert_array_equal(images[0].get_array(), [[0, 0], [1, 1]])
  assert images[0].origin == "lower" and images[1].get_clim() == (0, 1)
  outer, inner = panels[0].collections
  assert len(outer.get_offsets()) == 2
  np.testing.assert_array_equal(inner.get_offsets(), [[0, 1]])
  plt.close(figure)
