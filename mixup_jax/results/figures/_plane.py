"""Predictions on the plane, with the training points."""

from typing import Any, Sequence

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results.figures import _style

COLORS = ("tab:green", "tab:orange")  # Of class 0 and class 1.


def draw(plane: dict[str, Any], panels: Sequence[plt.Axes]) -> None:
  """Shades the plane by the probability of class 1, a panel a method.

  Args:
    plane: As `results.Plane`.
    panels: As many as there are methods.
  """
  limit = plane["limit"]
  for axes, (method, lines) in zip(panels, plane["percent"].items()):
    image = axes.imshow(
      np.array([line.split() for line in lines], float) / 100,
      origin="lower",
      extent=(-limit, limit, -limit, limit),
      vmin=0,
      vmax=1,
      cmap="Blues",
      interpolation="bilinear",
    )
    for label, color in enumerate(COLORS):
      points = np.array(
        [point.split() for point in plane["points"][label]], float
      )
      axes.scatter(
        points[:, 0],
        points[:, 1],
        s=14,
        color=color,
        edgecolor="white",
        linewidth=0.4,
        label=f"class {label}",
      )
    _style.title(axes, method)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
  panels[0].legend(loc="upper left", frameon=False, handletextpad=0.1)
  bar = panels[-1].figure.colorbar(image, ax=list(panels), shrink=0.8, pad=0.03)
  bar.set_label("p(class 1 | x)")
  bar.outline.set_visible(False)
