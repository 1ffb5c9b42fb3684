"""Metrics over the epochs of a run."""

import pathlib
import textwrap
from typing import Any, Sequence

from matplotlib import lines
import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _style

Looks = dict[str, Any]
COLORS = ("tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple")
STYLES = ("-", ":", "--", "-.")


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws metrics over epochs: the mean of the seeds, and their range.

  Args:
    result: A result with curves, each of a setting, a method and a metric.
    path: The file to write.
  """
  curves = result["curves"]
  settings = list(dict.fromkeys(curve["setting"] for curve in curves))
  colors = _in_turn(COLORS, [_family(curve) for curve in curves])
  styles = _in_turn(STYLES, [curve["metric"] for curve in curves])
  figure, panels = plt.subplots(
    1, len(settings), figsize=(6.4 * len(settings), 4.2), squeeze=False
  )
  for curve in curves:
    axes = panels[0][settings.index(curve["setting"])]
    values = np.asarray(curve["values"])  # [seeds, epochs]
    linestyle = styles[curve["metric"]]
    color = colors[_family(curve)]
    axes.plot(
      curve["epochs"],
      values.mean(0),
      color=color,
      linewidth=2 if linestyle == "-" else 1.2,
      linestyle=linestyle,
    )
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
  _legend(panels[0][-1], colors, styles)
  _style.save(figure, path)


def _legend(axes: plt.Axes, colors: Looks, styles: Looks) -> None:
  """Says beside the last panel what colours and what styles mean."""
  handles = [
    lines.Line2D([], [], color=color, linewidth=2, label=name)
    for name, color in colors.items()
  ] + [
    lines.Line2D([], [], color="0.4", linestyle=style, label=name)
    for name, style in styles.items()
  ]
  axes.legend(
    handles=handles, frameon=False, loc="upper left", bbox_to_anchor=(1, 1)
  )


def _family(curve: dict[str, Any]) -> str:
  """Returns the method without its hyper-parameters."""
  return curve["method"].split(",")[0]


def _in_turn(looks: Sequence[str], names: Sequence[str]) -> Looks:
  """Gives each name a look of its own, in the order in which they come."""
  each = enumerate(dict.fromkeys(names))
  return {name: looks[index % len(looks)] for index, name in each}
