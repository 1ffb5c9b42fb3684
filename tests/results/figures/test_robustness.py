"""Tests of the figure of attacks: panels of errors, rows of images."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results import encoding
from mixup_jax.results.figures import _robustness
from mixup_jax.results.figures import _style


def curve(method, attack):
  return {
    "setting": "digits",
    "method": method,
    "key": method.lower(),
    "attack": attack,
    "epsilon": [0.0, 4.0],
    "values": [[2.0, 40.0], [4.0, 60.0]],
  }


def result():
  return {
    "robustness": [
      curve(method, attack)
      for method in ("ERM", "mixup")
      for attack in ("white box, FGSM", "black box, FGSM")
    ],
    "strip": {
      "rows": ["original", "FGSM on ERM"],
      "columns": 4,
      "png": encoding.encode_png(np.zeros((20, 40), np.uint8)),
    },
  }


def test_draw_shows_attacks_and_images(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  _robustness.draw(result(), tmp_path / "x.png")
  white, black, strip = drawn[0].axes
  assert white.get_title("left") == "white box, FGSM"
  assert black.get_title("left") == "black box, FGSM"
  erm, mixup = white.lines
  np.testing.assert_array_equal(erm.get_ydata(), [3, 50])
  assert erm.get_color() != mixup.get_color()
  names = [text.get_text() for text in strip.get_yticklabels()]
  assert names == ["original", "FGSM on ERM"]
  assert list(strip.get_yticks()) == [5, 15]
  plt.close(drawn[0])


def test_draw_writes_the_file(tmp_path):
  _robustness.draw(result(), tmp_path / "x.png")
  assert (tmp_path / "x.png").stat().st_size > 5000
