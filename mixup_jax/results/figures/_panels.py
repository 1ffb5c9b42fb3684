"""Panels of curves side by side, each line with its name at its end."""

import pathlib
import textwrap
from typing import Sequence

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax import results
from mixup_jax.results.figures import _style

APART = 0.08  # Of the height of a panel: two names any closer would touch.


def draw(panels: Sequence[results.Panel], path: pathlib.Path) -> None:
  """Draws panels of curves: the mean of the seeds, and their range.

  Args:
    panels: The panels, from left to right.
    path: The file to write.
  """
  figure, places = plt.subplots(
    1,
    len(panels),
    figsize=(4.6 * len(panels), 3.6),
    squeeze=False,
    layout="constrained",
  )
  for panel, axes in zip(panels, places[0]):
    _draw_lines(panel["lines"], axes)
    _style.title(axes, textwrap.fill(panel["title"], width=40))
    axes.set_xlabel(panel["x"])
    axes.set_ylabel(panel["y"])
    axes.set_xlim(left=0)
    axes.set_ylim(0, panel["limit"])
    _style.tidy(axes)
    _name_lines(panel, axes)
  _style.save(figure, path)


def _draw_lines(lines: Sequence[results.Line], axes: plt.Axes) -> None:
  """Draws the mean of each line, and the range of its seeds."""
  colors = _style.colors(lines)
  for line in lines:
    color, values = colors[line["key"]], np.asarray(line["values"], float)
    axes.plot(line["x"], values.mean(0), color=color, linewidth=2.2)
    axes.fill_between(
      line["x"],
      values.min(0),
      values.max(0),
      color=color,
      alpha=0.15,
      linewidth=0,
    )


def _name_lines(panel: results.Panel, axes: plt.Axes) -> None:
  """Writes the name and the last mean of each line beside its end."""
  colors = _style.colors(panel["lines"])
  named = [
    (float(np.mean(np.asarray(line["values"], float)[:, -1])), line)
    for line in panel["lines"]
  ]
  place = -np.inf
  for last, line in sorted(named, key=lambda pair: pair[0]):
    place = max(last, place + APART * panel["limit"])
    axes.annotate(
      f"{line['name']} {last:.{panel['decimals']}f}",
      (1.02, place / panel["limit"]),
      xycoords="axes fraction",
      va="center",
      color=colors[line["key"]],
      fontweight="bold",
      annotation_clip=False,
    )
