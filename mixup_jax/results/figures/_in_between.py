"""Figures 1b and 2 of the paper in one picture: the plane, and the pairs."""

import pathlib
from typing import Any, Callable

import matplotlib.pyplot as plt

from mixup_jax.results.figures import _pairs
from mixup_jax.results.figures import _plane
from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws a row of panels for each part that a result holds.

  Args:
    result: A result with a plane, or pairs, or both.
    path: The file to write.
  """
  parts: dict[str, Callable[..., None]] = {
    "plane": _plane.draw,
    "pairs": _pairs.draw,
  }
  held = [name for name in parts if result.get(name)]
  figure = plt.figure(figsize=(9.6, 4.2 * len(held)), layout="constrained")
  # Rows of their own: what stands beside one takes no room from the other.
  rows = figure.subfigures(len(held), 1, squeeze=False)
  for name, row in zip(held, rows[:, 0]):
    parts[name](result[name], row.subplots(1, 2))
  _style.save(figure, path)
