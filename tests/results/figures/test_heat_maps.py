"""Tests of heat maps: they share a scale, and name failed runs."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _heat_maps
from mixup_jax.results.figures import _style


def heat_map(method, values):
  return {
    "setting": "ring",
    "method": method,
    "key": method.lower(),
    "metric": "modes covered, of 8",
    "x": "learning rate",
    "y": "width",
    "columns": [1e-3, 1e-2],
    "lines": [64],
    "values": values,
    "limits": [0, 8],
  }


def test_draw_puts_maps_on_one_scale(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  _heat_maps.draw(
    {
      "heat_maps": [
        heat_map("ERM", [[1.5, None]]),
        heat_map("mixup", [[8.0, 7.25]]),
      ]
    },
    tmp_path / "x.png",
  )
  erm, mixup, bar = drawn[0].axes
  assert erm.get_title("left") == "ERM\nring"
  assert [text.get_text() for text in erm.texts] == ["1.5", "failed"]
  assert [text.get_text() for text in mixup.texts] == ["8.0", "7.2"]
  for axes in (erm, mixup):
    (image,) = axes.images
    assert image.get_clim() == (0, 8)
    assert [label.get_text() for label in axes.get_xticklabels()] == [
      "0.001",
      "0.01",
    ]
  assert np.ma.is_masked(erm.images[0].get_array())
  assert (erm.get_ylabel(), erm.get_xlabel()) == ("width", "learning rate")
  assert bar.get_ylabel() == "modes covered, of 8"
  plt.close(drawn[0])
