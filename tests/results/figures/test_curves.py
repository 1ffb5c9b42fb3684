"""Tests of curves: a panel a setting, a colour a key, a style a metric."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _curves
from mixup_jax.results.figures import _style


def curve(setting, method, metric, key="erm"):
  return {
    "setting": setting,
    "method": method,
    "key": key,
    "metric": metric,
    "epochs": [1, 2, 3],
    "values": [[3.0, 2.0, 1.0], [4.0, 2.5, 1.5]],
  }


def test_draw_gives_each_setting_a_panel(drawn):
  one = [
    curve("digits", method, metric)
    for method in ("ERM", "mixup, alpha 1")
    for metric in ("test error (%)", "training error (%)")
  ]
  narrow = drawn({"rows": [], "curves": one})
  wide = drawn({"rows": [], "curves": one + [curve("cifar10", "ERM", "test")]})
  assert wide.shape[1] > 1.5 * narrow.shape[1]


def test_draw_chooses_colours_by_key(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  curves = [
    curve("a", "mixup, alpha 8", "test", "mixup"),
    curve("a", "ERM", "test"),
    curve("a", "ERM", "training"),
    curve("b", "mixup, alpha 32", "test", "mixup"),
    curve("b", "CutMix", "test", "cutmix"),
  ]
  _curves.draw({"curves": curves}, tmp_path / "x.png")
  first, second = drawn[0].axes
  mixup, erm, training = first.lines
  assert (mixup.get_color(), erm.get_color()) == ("tab:orange", "tab:blue")
  assert training.get_color() == "tab:blue"
  assert training.get_linestyle() != erm.get_linestyle() == "-"
  assert [line.get_color() for line in second.lines] == [
    "tab:orange",
    "tab:green",
  ]
  names = [text.get_text() for text in second.get_legend().get_texts()]
  assert names == ["mixup", "ERM", "CutMix", "test", "training"]
  plt.close(drawn[0])


def test_draw_sets_methods_of_one_key_apart(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  curves = [
    curve("a", f"mixup, alpha {alpha}", metric, "mixup")
    for alpha in (1, 0.2)
    for metric in ("test", "training")
  ]
  _curves.draw({"curves": curves}, tmp_path / "x.png")
  (axes,) = drawn[0].axes
  colors = [line.get_color() for line in axes.lines]
  assert colors == ["tab:orange"] * 2 + ["tab:green"] * 2
  names = [text.get_text() for text in axes.get_legend().get_texts()]
  assert names[:2] == ["mixup, alpha 1", "mixup, alpha 0.2"]
  assert len(axes.collections) == 2  # The ranges of the first metric.
  plt.close(drawn[0])


def test_draw_leaves_a_gap_where_a_value_is_none(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  broken = {**curve("a", "ERM", "test"), "values": [[3.0, None, 1.0]]}
  _curves.draw({"curves": [broken]}, tmp_path / "x.png")
  (line,) = drawn[0].axes[0].lines
  np.testing.assert_array_equal(line.get_ydata(), [3, np.nan, 1])
  plt.close(drawn[0])
