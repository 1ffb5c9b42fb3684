"""Tests of spectrograms, the lowest frequency at the bottom."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results import encoding
from mixup_jax.results.figures import _spectrograms
from mixup_jax.results.figures import _style


def shown():
  levels = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(8, 3) * 10
  return {
    "titles": ["one", "mean"],
    "low": -2.0,
    "high": 4.0,
    "seconds": 1.0,
    "hertz": 8000.0,
    "png": encoding.encode_png(levels),
  }


def test_draw_gives_each_spectrogram_a_panel(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  _spectrograms.draw({"spectrograms": shown()}, tmp_path / "x.png")
  one, mean, _ = drawn[0].axes
  assert [one.get_title("left"), mean.get_title("left")] == ["one", "mean"]
  (image,) = one.images
  assert image.origin == "lower" and image.get_extent() == [0, 1, 0, 8]
  expected = -2 + 6 * np.arange(12).reshape(4, 3) * 10 / 255
  np.testing.assert_allclose(image.get_array(), expected)
  np.testing.assert_allclose(
    mean.images[0].get_array().min(), -2 + 6 * 120 / 255
  )
  plt.close(drawn[0])
