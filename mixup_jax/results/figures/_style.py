"""What figures share: the backend, the colours of methods, a light grid."""

import itertools
import pathlib
from typing import Any, Iterable, Literal, Mapping

import matplotlib

matplotlib.use("Agg")  # Draws to files; needs no screen.
import matplotlib.pyplot as plt  # noqa: E402

# Of the keys of methods: those of Figure 2 of the paper, then a cycle.
COLORS = {"erm": "tab:blue", "mixup": "tab:orange"}
_OTHERS = ("tab:green", "tab:red", "tab:purple", "tab:brown", "tab:pink")


def colors(payloads: Iterable[Mapping[str, Any]]) -> dict[str, str]:
  """Returns a colour for each key of a method that payloads have."""
  others = itertools.cycle(_OTHERS)
  keys = dict.fromkeys(payload["key"] for payload in payloads)
  return {key: COLORS.get(key) or next(others) for key in keys}


def tidy(axes: plt.Axes, *, grid: Literal["both", "x", "y"] = "both") -> None:
  """Puts a light grid behind the data, and removes the frame."""
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
