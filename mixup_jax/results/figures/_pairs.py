"""Metrics of networks between one example and another."""

from typing import Any, Sequence

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _style


def draw(pairs: list[dict[str, Any]], panels: Sequence[plt.Axes]) -> None:
  """Draws metrics over lam: the mean of the seeds, their range, the paper's.

  Args:
    pairs: Curves as `results.Pairs`, of one setting.
    panels: As many as there are metrics.
  """
  metrics = list(dict.fromkeys(curve["metric"] for curve in pairs))
  colors = _style.colors(pairs)
  for curve in pairs:
    axes = panels[metrics.index(curve["metric"])]
    color = colors[curve["key"]]
    values = np.asarray(curve["values"], float)  # [seeds, lams]
    axes.plot(
      curve["lam"],
      values.mean(0),
      color=color,
      linewidth=2,
      label=curve["method"],
    )
    axes.fill_between(
      curve["lam"],
      values.min(0),
      values.max(0),
      color=color,
      alpha=0.15,
      linewidth=0,
    )
    if curve["paper"]:
      axes.plot(
        np.linspace(0, 1, len(curve["paper"])),
        curve["paper"],
        "--",
        color=color,
        linewidth=0.9,
        label="the paper's, CIFAR-10",
      )
  count = len(pairs[0]["values"])
  seeds = f"{count} seeds, mean and range" if count > 1 else "one seed"
  _style.title(panels[0], f"{pairs[0]['setting']}; {seeds}")
  for metric, axes in zip(metrics, panels):
    axes.set_xlabel("lam, the weight of the first image")
    axes.set_ylabel(metric)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    _style.tidy(axes)
  panels[-1].legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
