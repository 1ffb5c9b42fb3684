"""Metrics over the epochs of a run."""

import pathlib
from typing import Any, Sequence

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.figures import _style

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
  figure, panels = plt.subplots(1,
                                len(settings),
                                figsize=(6.4 * len(settings), 4.2),
                                squeeze=False)
  for curve in curves:
    axes = panels[0][settings.index(curve["setting"])]
    values = np.asarray(curve["values"])  # [seeds, epochs]
    linestyle = styles[curve["metric"]]
    line, = axes.plot(curve["epochs"],
                      values.mean(0),
                      color=colors[_family(curve)],
                      linewidth=2 if linestyle == "-" else 1.2,
                      linestyle=linestyle,
                      label=f"{curve['method']}, {curve['metric']}")
    axes.fill_between(curve["epochs"],
                      values.min(0),
                      values.max(0),
                      color=line.get_color(),
                      alpha=0.15,
                      linewidth=0)
  for setting, axes in zip(settings, panels[0]):
    count = max(len(c["values"]) for c in curves if c["setting"] == setting)
    seeds = f"{count} seeds, mean and range" if count > 1 else "one seed"
    _style.title(axes, f"{setting} ({seeds})")
    axes.set_xlabel("epoch")
    axes.set_ylabel("error (%)")
    axes.set_ylim(bottom=0)
    _style.tidy(axes)
    axes.legend(frameon=False)
  _style.save(figure, path)


def _family(curve: dict[str, Any]) -> str:
  """Returns the method without its hyper-parameters."""
  return curve["method"].split(",")[0]


def _in_turn(looks: Sequence[str], names: Sequence[str]) -> dict[str, str]:
  """Gives each name a look of its own, in the order in which they come."""
  each = enumerate(dict.fromkeys(names))
  return {name: looks[index % len(looks)] for index, name in each}
