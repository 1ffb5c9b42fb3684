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


def test_draw_frames_differences_and_scales_each_metric(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  first = heat_map("distance", [[1.0, 2.0]])
  second = {
    **heat_map("mixup", [[-3.0, 0.5]]),
    "metric": "difference",
    "limits": [-4, 4],
    "columns": ["iris", "abalone"],
    "p": [[0.01, 0.5]],
  }
  _heat_maps.draw({"heat_maps": [first, second]}, tmp_path / "x.png")
  distance, mixup, *bars = drawn[0].axes
  assert [len(axes.patches) for axes in (distance, mixup)] == [0, 1]
  (frame,) = mixup.patches
  assert frame.get_x() < 0 < frame.get_x() + frame.get_width()
  assert [text.get_color() for text in mixup.texts] == ["white", "0.2"]
  assert [label.get_text() for label in mixup.get_xticklabels()] == [
    "iris",
    "abalone",
  ]
  names = {
    image.get_cmap().name for a in (distance, mixup) for image in a.images
  }
  assert names == {"Blues", "RdBu_r"}
  assert [bar.get_ylabel() for bar in bars] == [
    "modes covered, of 8",
    "difference",
  ]
  plt.close(drawn[0])
