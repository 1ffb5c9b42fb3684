"""One number for each method, beside the paper's."""

import pathlib
from typing import Any, Sequence

import matplotlib.pyplot as plt

from mixup_jax import results
from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws our numbers with standard errors, and the paper's beside them.

  Args:
    result: A result with a layout whose lines are methods.
    path: The file to write.
  """
  metric = result["layout"]["metrics"][0]
  shown = [
    row
    for row in result["rows"]
    if row["metric"] == metric and row["value"] is not None
  ]
  methods = list(dict.fromkeys(row["method"] for row in shown))
  settings = list(dict.fromkeys(row["setting"] for row in shown))
  figure, axes = plt.subplots(
    figsize=(8, 0.32 * len(methods) + 1.6), layout="constrained"
  )
  for index, setting in enumerate(settings):
    # Apart, so that equal numbers do not hide each other.
    shift = 0.5 * ((index + 0.5) / len(settings) - 0.5)
    places = {name: line + shift for line, name in enumerate(methods)}
    rows = [row for row in shown if row["setting"] == setting]
    _draw_setting(axes, rows, places, f"C{index}")
  axes.set_yticks(range(len(methods)), methods)
  axes.set_ylim(len(methods) - 0.5, -0.5)
  axes.set_xlabel(metric)
  _style.tidy(axes, grid="x")
  about = [results.describe_runs(shown)]
  if any(row["paper"] is not None for row in shown):
    about.append("Diamonds: the paper's")
  _style.title(axes, ". ".join(about))
  figure.legend(frameon=False, loc="outside lower left")
  _style.save(figure, path)


def _draw_setting(
  axes: plt.Axes,
  rows: Sequence[dict[str, Any]],
  places: dict[str, float],
  color: str,
) -> None:
  """Draws the dots of a setting, and the paper's diamonds."""
  axes.plot([], [], "s", color=color, label=rows[0]["setting"])
  for row in rows:
    place = places[row["method"]]
    error = results.standard_error(row)
    axes.errorbar(
      row["value"],
      place,
      xerr=error or None,
      fmt="o",
      markersize=5,
      capsize=2,
      color=color,
    )
    if row["paper"] is not None:
      axes.plot(row["paper"], place, "D", markersize=6, color=color)
