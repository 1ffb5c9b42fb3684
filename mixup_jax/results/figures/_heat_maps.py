"""Metrics over two hyper-parameters or names, a map a method."""

import pathlib
from typing import Any

import matplotlib.patches
import matplotlib.pyplot as plt
import numpy as np

from mixup_jax import results
from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws maps side by side, with their numbers.

  Those of one metric have one scale of colours. Differences with p < 0.05 are
  framed.

  Args:
    result: A result with maps as `results.HeatMap`, all of the same lines.
    path: The file to write.
  """
  maps = result["heat_maps"]
  widths = [len(each["columns"]) for each in maps]
  figure, (panels,) = plt.subplots(
    1,
    len(maps),
    squeeze=False,
    sharey=True,
    width_ratios=widths,
    figsize=(
      0.45 * sum(widths) + 1.2 * len(maps),
      0.3 * len(maps[0]["lines"]) + 2,
    ),
    layout="constrained",
  )
  panels[0].set_ylabel(maps[0]["y"])
  for metric in dict.fromkeys(each["metric"] for each in maps):
    own = [(x, axes) for x, axes in zip(maps, panels) if x["metric"] == metric]
    images = [_draw_map(each, axes) for each, axes in own]
    bar = figure.colorbar(images[-1], ax=[axes for _, axes in own], pad=0.03)
    bar.set_label(metric)
    bar.outline.set_visible(False)
  _style.save(figure, path)


def _draw_map(each: results.HeatMap, axes: plt.Axes) -> Any:
  """Draws a map; returns its image, which has the scale of colours."""
  values = np.array(each["values"], float)  # None becomes NaN.
  low, high = each["limits"]
  image = axes.imshow(
    values,
    vmin=low,
    vmax=high,
    cmap="RdBu_r" if low < 0 else "Blues",
    aspect="auto",
  )
  for (line, column), value in np.ndenumerate(values):
    # Both ends of the scale of differences are dark, and one of the other.
    share = abs(value) / high if low < 0 else (value - low) / (high - low)
    axes.text(
      column,
      line,
      "failed" if np.isnan(value) else f"{value:.1f}",
      ha="center",
      va="center",
      fontsize=9,
      color="white" if share > 0.6 else "0.2",
    )
  for line, column in np.argwhere(np.array(each.get("p", [])) < 0.05):
    axes.add_patch(
      matplotlib.patches.Rectangle(
        (column - 0.46, line - 0.46), 0.92, 0.92, fill=False, linewidth=1.5
      )
    )
  columns, lines = (
    [x if isinstance(x, str) else f"{x:g}" for x in each[name]]
    for name in ("columns", "lines")
  )
  is_named = any(isinstance(x, str) for x in each["columns"])
  axes.set_xticks(range(len(columns)), columns, rotation=90 if is_named else 0)
  axes.set_yticks(range(len(lines)), lines)
  axes.tick_params(length=0)
  axes.set_xlabel(each["x"])
  axes.spines[:].set_visible(False)
  _style.title(axes, f"{each['method']}\n{each['setting']}")
  return image
