"""What all figures share: a file and no screen, a quiet grid, few lines."""

import pathlib
from typing import Literal

import matplotlib

matplotlib.use("Agg")  # Draws to files; needs no screen.
import matplotlib.pyplot as plt  # noqa: E402


def tidy(axes: plt.Axes, *, grid: Literal["both", "x", "y"] = "both") -> None:
  """Puts a light grid behind the data, and takes away the frame."""
  axes.grid(axis=grid, color="0.9")
  axes.set_axisbelow(True)
  axes.spines[["top", "right"]].set_visible(False)


def title(axes: plt.Axes, text: str) -> None:
  """Writes a title over the left edge."""
  axes.set_title(text, loc="left", fontsize=11)


def save(figure: plt.Figure, path: pathlib.Path) -> None:
  """Writes a figure, the same bytes for the same figure."""
  figure.savefig(
    path, dpi=120, bbox_inches="tight", metadata={"Software": None}
  )
  plt.close(figure)
