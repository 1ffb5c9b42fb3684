"""Proves that each way to mix has its panel, with lam below the columns."""

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax import pictures
from mixup_jax.figures import _mixtures
from mixup_jax.figures import _style


def test_panels(tmp_path, monkeypatch):
  drawn = []
  monkeypatch.setattr(_style, "save", lambda figure, path: drawn.append(figure))
  pixels = np.arange(4 * 30, dtype=np.uint8).reshape(4, 30)
  _mixtures.draw([{
      "rows": [name] * 2,
      "columns": 3,
      "png": pictures.encode(pixels)
  } for name in ("inputs", "codes")], tmp_path / "x.png")
  inputs, codes = drawn[0].axes
  assert [inputs.get_title("left"),
          codes.get_title("left")] == ["inputs", "codes"]
  np.testing.assert_array_equal(codes.images[0].get_array(), pixels)
  np.testing.assert_allclose(codes.get_xticks(), [5, 15, 25])
  assert [label.get_text() for label in codes.get_xticklabels()
         ] == ["1", "0.5", "0"]
  plt.close(drawn[0])
