"""A number for each method, beside the paper's: one line a method."""

import pathlib
from typing import Any, Sequence

import matplotlib.pyplot as plt

from mixup_jax.results.figures import _style

COLORS = ("tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple")


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws what was run, with 95 % intervals, and the paper's numbers of it.

  Args:
    result: A result with a layout whose lines are methods.
    path: The file to write.
  """
  metric = result["layout"]["metrics"][0]
  shown = [row for row in result["rows"] if row["metric"] == metric]
  methods = list(dict.fromkeys(row["method"] for row in shown if row["n"]))
  # The paper's numbers of another setting would look like a comparison.
  settings = list(dict.fromkeys(row["setting"] for row in shown if row["n"]))
  shown = [
    row
    for row in shown
    if row["method"] in methods and row["setting"] in settings
  ]
  figure, axes = plt.subplots(
    figsize=(8, 0.32 * len(methods) + 1.6), layout="constrained"
  )
  for index, setting in enumerate(settings):
    # Apart, so that equal numbers do not hide each other.
    shift = 0.5 * ((index + 0.5) / len(settings) - 0.5)
    places = {name: line + shift for line, name in enumerate(methods)}
    rows = [row for row in shown if row["setting"] == setting]
    _draw_setting(axes, rows, places, COLORS[index % len(COLORS)])
  axes.set_yticks(range(len(methods)), methods)
  axes.set_ylim(len(methods) - 0.5, -0.5)
  axes.set_xlabel(metric)
  _style.tidy(axes, grid="x")
  if any(row["paper"] is not None for row in shown):
    _style.title(axes, "Dots: ours. Diamonds: the paper, hollow if unverified.")
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
    if row["n"]:
      error = 1.96 * row["std"] / row["n"] ** 0.5
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
      axes.plot(
        row["paper"],
        place,
        "D",
        markersize=6,
        color=color,
        markerfacecolor="none" if row.get("unverified") else color,
      )
