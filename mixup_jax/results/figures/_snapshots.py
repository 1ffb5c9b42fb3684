"""Points of generators during training, beside those of the data."""

import pathlib
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results import encoding
from mixup_jax.results.figures import _style

_MARGIN = 0.25  # Around the real points, as in the paper.


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws a block of columns a method and a row a setting, as the paper does.

  Args:
    result: A result with `results.Snapshots`.
    path: The file to write.
  """
  snapshots = result["snapshots"]
  methods = list(dict.fromkeys(each["method"] for each in snapshots))
  settings = list(dict.fromkeys(each["setting"] for each in snapshots))
  count = max(len(each["iterations"]) for each in snapshots)
  figure, panels = plt.subplots(
    len(settings),
    # A narrow column between the methods.
    len(methods) * (count + 1) - 1,
    squeeze=False,
    figsize=(1.5 * len(methods) * count, 1.6 * len(settings)),
    gridspec_kw={
      "width_ratios": ([1] * count + [0.15]) * (len(methods) - 1) + [1] * count,
      "wspace": 0.04,
      "hspace": 0.04,
    },
  )
  for axes in panels.flat:
    axes.axis("off")
  for each in snapshots:
    line = settings.index(each["setting"])
    first = methods.index(each["method"]) * (count + 1)
    for column, iteration in enumerate(each["iterations"]):
      axes = panels[line, first + column]
      _draw_points(
        axes,
        encoding.decode_points(each["real"]),
        encoding.decode_points(each["fake"][column]),
      )
      if line == 0:
        axes.set_title(f"{iteration:,}", fontsize=9, color="0.3")
    if line == 0:
      panels[0, first].annotate(
        each["method"], (0, 1.2), xycoords="axes fraction", fontsize=11
      )
  figure.text(
    0.5,
    0.04,
    "blue: points of the data; orange: of the generator, after the "
    "iterations in the titles",
    ha="center",
    fontsize=9,
    color="0.3",
  )
  _style.save(figure, path)


def _draw_points(axes: plt.Axes, real: np.ndarray, fake: np.ndarray) -> None:
  """Draws both kinds in the window of the real ones."""
  axes.scatter(real[:, 0], real[:, 1], s=4, color="tab:blue", linewidth=0)
  axes.scatter(
    fake[:, 0], fake[:, 1], s=4, color="tab:orange", alpha=0.25, linewidth=0
  )
  (left, bottom), (right, top) = real.min(0) - _MARGIN, real.max(0) + _MARGIN
  axes.set(xlim=(left, right), ylim=(bottom, top))
  axes.set_aspect("equal")
