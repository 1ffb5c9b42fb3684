"""A metric over two hyper-parameters, a map a method."""

import pathlib
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws maps side by side, on one scale of colours, with their numbers.

  Args:
    result: A result with maps as `results.HeatMap`, all of one metric.
    path: The file to write.
  """
  maps = result["heat_maps"]
  figure, panels = plt.subplots(
    1, len(maps), squeeze=False, sharey=True, figsize=(3.6 * len(maps), 2.8)
  )
  low, high = maps[0]["limits"]
  for axes, each in zip(panels[0], maps):
    values = np.array(each["values"], float)  # None becomes NaN.
    image = axes.imshow(values, vmin=low, vmax=high, cmap="Blues")
    for (line, column), value in np.ndenumerate(values):
      axes.text(
        column,
        line,
        "failed" if np.isnan(value) else f"{value:.1f}",
        ha="center",
        va="center",
        fontsize=9,
        color="white" if value > (low + high) / 2 else "0.2",
      )
    axes.set_xticks(
      range(len(each["columns"])), [f"{x:g}" for x in each["columns"]]
    )
    axes.set_yticks(
      range(len(each["lines"])), [f"{y:g}" for y in each["lines"]]
    )
    axes.set_xlabel(each["x"])
    axes.spines[:].set_visible(False)
    _style.title(axes, f"{each['method']}\n{each['setting']}")
  panels[0, 0].set_ylabel(maps[0]["y"])
  bar = figure.colorbar(image, ax=list(panels[0]), shrink=0.8, pad=0.02)
  bar.set_label(maps[0]["metric"])
  bar.outline.set_visible(False)
  _style.save(figure, path)
