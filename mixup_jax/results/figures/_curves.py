"""Metrics over the epochs of a run."""

import itertools
import pathlib
import textwrap
from typing import Any

from matplotlib import lines
import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results import rows
from mixup_jax.results.figures import _style

STYLES = ("-", ":", "--", "-.")


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws metrics over epochs: the mean of the seeds, and their range.

  The range is that of the first metric alone: several hide each other.

  Args:
    result: A result with curves, each of a setting, a method and a metric.
    path: The file to write.
  """
  curves = _set_apart(result["curves"])
  settings = list(dict.fromkeys(curve["setting"] for curve in curves))
  colors = _style.colors(curves)
  metrics = dict.fromkeys(curve["metric"] for curve in curves)
  styles: dict[str, Any] = dict(zip(metrics, itertools.cycle(STYLES)))
  figure, panels = plt.subplots(
    1, len(settings), figsize=(6.4 * len(settings), 4.2), squeeze=False
  )
  for curve in curves:
    axes = panels[0][settings.index(curve["setting"])]
    values = np.asarray(curve["values"], float)  # [seeds, epochs]
    linestyle = styles[curve["metric"]]
    color = colors[curve["key"]]
    axes.plot(
      curve["epochs"],
      values.mean(0),
      color=color,
      linewidth=2 if linestyle == "-" else 1.2,
      linestyle=linestyle,
    )
    if linestyle == STYLES[0]:
      axes.fill_between(
        curve["epochs"],
        values.min(0),
        values.max(0),
        color=color,
        alpha=0.15,
        linewidth=0,
      )
  for setting, axes in zip(settings, panels[0]):
    count = max(len(c["values"]) for c in curves if c["setting"] == setting)
    seeds = f"{count} seeds, mean and range" if count > 1 else "one seed"
    _style.title(axes, textwrap.fill(f"{setting} ({seeds})", width=62))
    axes.set_xlabel("epoch")
    axes.set_ylabel("error (%)")
    axes.set_ylim(bottom=0)
    _style.tidy(axes)
  names = {
    rows.family([curve for curve in curves if curve["key"] == key]): color
    for key, color in colors.items()
  }
  _legend(panels[0][-1], names, styles)
  _style.save(figure, path)


def _set_apart(curves: list[dict[str, Any]]) -> list[dict[str, Any]]:
  """Gives methods that share a key within a setting keys of their own."""
  first: dict[tuple[str, str], str] = {}
  for curve in curves:
    first.setdefault((curve["setting"], curve["key"]), curve["method"])
  return [
    curve
    if first[curve["setting"], curve["key"]] == curve["method"]
    else {**curve, "key": curve["method"]}
    for curve in curves
  ]


def _legend(
  axes: plt.Axes, names: dict[str, str], styles: dict[str, Any]
) -> None:
  """Explains beside the last panel what colours and line styles mean."""
  handles = [
    lines.Line2D([], [], color=color, linewidth=2, label=name)
    for name, color in names.items()
  ] + [
    lines.Line2D([], [], color="0.4", linestyle=style, label=name)
    for name, style in styles.items()
  ]
  axes.legend(
    handles=handles, frameon=False, loc="upper left", bbox_to_anchor=(1, 1)
  )
