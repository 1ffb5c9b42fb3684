"""The change of the error by mixup, setting by setting."""

import pathlib
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax import results
from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws the change of the error by mixup, with 95 % intervals.

  Args:
    result: A result with paired differences to ERM.
    path: The file to write.
  """
  rows = [
    row
    for row in result["rows"]
    if row["metric"] == results.DIFFERENCE and row["value"] is not None
  ]
  settings = list(dict.fromkeys(row["setting"] for row in rows))
  methods = list(dict.fromkeys(row["method"] for row in rows))
  colors = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(methods)))
  figure, axes = plt.subplots(figsize=(8, 0.75 * len(settings) + 1.4))
  axes.axvline(0, color="0.4", linewidth=1)
  for index, (method, color) in enumerate(zip(methods, colors)):
    chosen = [row for row in rows if row["method"] == method]
    offset = 0.16 * (index - (len(methods) - 1) / 2)
    axes.errorbar(
      [row["value"] for row in chosen],
      [settings.index(row["setting"]) + offset for row in chosen],
      xerr=[results.margin(row) for row in chosen],
      fmt="o",
      markersize=5,
      capsize=2,
      color=color,
      label=method,
    )
  paper = _paper_differences(result)
  if paper:
    axes.plot(
      [paper.get(setting, np.nan) for setting in settings],
      range(len(settings)),
      "D",
      markersize=7,
      markerfacecolor="none",
      color="tab:red",
      label="paper",
    )
  axes.set_yticks(range(len(settings)), settings)
  axes.invert_yaxis()
  axes.set_xlabel(
    "test error of mixup minus that of ERM, percentage points; "
    "left of 0 mixup is better"
  )
  _style.tidy(axes, grid="x")
  axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
  _style.title(
    axes,
    f"Paired differences over {rows[0]['n']} seeds, {rows[0]['epochs']} "
    "epochs, 95 % intervals",
  )
  _style.save(figure, path)


def _paper_differences(result: dict[str, Any]) -> dict[str, float]:
  """Returns mixup minus ERM in the paper, for each setting that it has."""
  paper: dict[str, dict[str, float]] = {}
  for row in result["rows"]:
    if row["paper"] is not None:
      paper.setdefault(row["setting"], {})[row["key"]] = row["paper"]
  return {
    setting: numbers["mixup"] - numbers["erm"]
    for setting, numbers in paper.items()
    if {"mixup", "erm"} <= set(numbers)
  }
