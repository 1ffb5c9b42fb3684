"""Reliability diagrams: accuracy over confidence."""

import pathlib
from typing import Any

import matplotlib.pyplot as plt

from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws a diagram for each method, and the histogram of its confidence.

  Args:
    result: A result with diagrams as `results.Reliability`.
    path: The file to write.
  """
  diagrams = result["reliability"]
  figure, rows = plt.subplots(
    2,
    len(diagrams),
    figsize=(3.1 * len(diagrams), 4.6),
    height_ratios=(3, 1),
    sharex=True,
    sharey="row",
    squeeze=False,
    layout="constrained",
  )
  colors = _style.colors(diagrams)
  for diagram, above, below in zip(diagrams, *rows):
    color = colors[diagram["key"]]
    above.plot((0, 1), (0, 1), color="0.6", linestyle="--", linewidth=1)
    above.plot(
      diagram["confidence"], diagram["accuracy"], color=color, linewidth=1.2
    )
    # A bin counts by how many predictions it has.
    above.scatter(
      diagram["confidence"],
      diagram["accuracy"],
      s=[12 + 200 * share for share in diagram["share"]],
      color=color,
      alpha=0.8,
      linewidth=0,
    )
    above.vlines(
      diagram["confidence"],
      diagram["confidence"],
      diagram["accuracy"],
      color=color,
      alpha=0.4,
      linewidth=1,
    )
    below.bar(
      diagram["confidence"],
      [100 * x for x in diagram["share"]],
      width=0.04,
      color=color,
    )
    _style.title(above, diagram["method"].replace(", temp", ",\ntemp"))
    above.text(
      0.04, 0.92, f"ECE {diagram['error']:.1f} %", transform=above.transAxes
    )
    below.set_xlabel("confidence")
    for axes in (above, below):
      _style.tidy(axes)
  rows[0][0].set(xlim=(0, 1), ylim=(0, 1), ylabel="share that is right")
  rows[1][0].set(ylim=(0, 100), ylabel="predictions (%)")
  figure.suptitle(diagrams[0]["setting"], x=0.01, ha="left", fontsize=11)
  _style.save(figure, path)
