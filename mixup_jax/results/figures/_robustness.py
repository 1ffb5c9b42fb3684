"""Error under attack over epsilon, and images before and after."""

import pathlib
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results import encoding
from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws a panel for each attack, and a strip of images below.

  Args:
    result: A result with curves as `results.Robustness`, and a `results.Strip`.
    path: The file to write.
  """
  curves = result["robustness"]
  attacks = list(dict.fromkeys(curve["attack"] for curve in curves))
  figure = plt.figure(figsize=(2.9 * len(attacks), 6.2), layout="constrained")
  above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
  panels = above.subplots(1, len(attacks), sharey=True, squeeze=False)[0]
  _draw_curves(curves, dict(zip(attacks, panels)))
  count = len(curves[0]["values"])
  seeds = f"{count} seeds, mean and range" if count > 1 else "one seed"
  above.suptitle(
    f"{curves[0]['setting']}; {seeds}", x=0.01, ha="left", fontsize=11
  )
  _draw_strip(result["strip"], below.subplots())
  _style.save(figure, path)


def _draw_curves(
  curves: list[dict[str, Any]], panels: dict[str, plt.Axes]
) -> None:
  """Draws each curve in the panel of its attack."""
  colors = _style.colors(curves)
  for curve in curves:
    axes = panels[curve["attack"]]
    color = colors[curve["key"]]
    values = np.asarray(curve["values"], float)  # [seeds, epsilons]
    axes.plot(
      curve["epsilon"],
      values.mean(0),
      color=color,
      linewidth=2,
      marker="o",
      markersize=3,
      label=curve["method"],
    )
    axes.fill_between(
      curve["epsilon"],
      values.min(0),
      values.max(0),
      color=color,
      alpha=0.15,
      linewidth=0,
    )
  for attack, axes in panels.items():
    _style.title(axes, attack)
    axes.set_xlabel("epsilon (pixels of 0 to 255)")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 102)
    _style.tidy(axes)
  first = next(iter(panels.values()))
  first.set_ylabel("top-1 error (%)")
  first.legend(frameon=False, loc="lower right")


def _draw_strip(strip: dict[str, Any], axes: plt.Axes) -> None:
  """Shows the images, with the name of each row beside it."""
  picture = encoding.decode_png(strip["png"])
  axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
  height = picture.shape[0] / len(strip["rows"])
  axes.set_yticks(
    [height * (i + 0.5) for i in range(len(strip["rows"]))], strip["rows"]
  )
  axes.set_xticks([])
  axes.tick_params(length=0)
  axes.spines[:].set_visible(False)
