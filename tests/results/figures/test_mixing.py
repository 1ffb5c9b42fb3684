"""Tests of the figure of mixed codes: panels and rows of images."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax import results
from mixup_jax.results import encoding
from mixup_jax.results import figures
from mixup_jax.results.figures import _style

DIFFERENCE = "minus input mixup, paired (%)"


def row(setting, method, metric, value):
  return {
    "setting": setting,
    "method": method,
    "metric": metric,
    "value": value,
    "std": 2.0,
    "n": 4,
  }


def result(**more):
  rows = [
    row("digits", "ERM", "error (%)", 3.0),
    row("digits", "ERM", DIFFERENCE, 0.5),
    row("digits", "codes", DIFFERENCE, 1.5),
    row("digits", "ERM", results.P_VALUE, 0.1),
    row("iris", "ERM", DIFFERENCE, -4.0),
  ]
  layout = {"metrics": ["error (%)", DIFFERENCE, results.P_VALUE]}
  return {"rows": rows, "layout": layout, **more}


def mixed():
  return {
    "rows": ["input mixup", "codes"],
    "lam": [1.0, 0.5, 0.0],
    "pairs": 2,
    "png": encoding.encode_png(np.zeros((20, 60), np.uint8)),
  }


def test_draw_breaks_a_long_setting(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  long = result()
  for row in long["rows"]:
    row["setting"] = "digits (" + ", ".join(["a word or two"] * 9) + ")"
  assert figures.draw(long, tmp_path / "x.png")
  lines = drawn[0].axes[0].get_title("left").split("\n")
  assert len(lines) > 1 and max(map(len, lines)) <= 84
  plt.close(drawn[0])


def test_draw_shows_differences_and_mixed_inputs(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  assert figures.draw(result(mixed_inputs=mixed()), tmp_path / "x.png")
  digits, iris, below = drawn[0].axes
  assert digits.get_title("left").startswith("digits, 4 seeds")
  names = [text.get_text() for text in digits.get_yticklabels()]
  assert names == ["ERM", "codes"] and len(iris.get_yticks()) == 1
  dots, _, (bars,) = digits.containers[0]
  np.testing.assert_array_equal(dots.get_xdata(), [0.5, 1.5])
  np.testing.assert_allclose(  # By Student's t of three degrees of freedom.
    bars.get_segments()[0][:, 0], [0.5 - 3.1824, 0.5 + 3.1824], atol=1e-4
  )
  assert [text.get_text() for text in below.get_yticklabels()] == [
    "input mixup",
    "codes",
  ]
  assert list(below.get_yticks()) == [4.5, 14.5]
  lams = [text.get_text() for text in below.get_xticklabels()]
  assert lams == ["1", "0.5", "0"] * 2
  assert len(below.lines) == 1  # Between the two pairs.
  plt.close(drawn[0])


def test_draw_without_mixed_inputs(tmp_path):
  path = tmp_path / "x.png"
  assert figures.draw(result(), path) and path.stat().st_size > 5000
  alone = plt.imread(path)
  figures.draw(result(mixed_inputs=mixed()), path)
  assert plt.imread(path).shape[0] > alone.shape[0]
