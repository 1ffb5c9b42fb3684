"""Spectrograms of clips and of their mixtures, side by side."""

import pathlib
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from mixup_jax.results import encoding
from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws a panel for each spectrogram, of one scale of colours.

  Args:
    result: A result with `results.Spectrograms`.
    path: The file to write.
  """
  shown = result["spectrograms"]
  levels = encoding.decode_png(shown["png"]) / 255
  values = shown["low"] + levels * (shown["high"] - shown["low"])
  parts = np.split(values, len(shown["titles"]))
  figure, panels = plt.subplots(
    1,
    len(parts),
    figsize=(3.1 * len(parts), 3.2),
    sharey=True,
    layout="constrained",
  )
  for axes, title, part in zip(panels, shown["titles"], parts):
    image = axes.imshow(
      part,
      origin="lower",
      aspect="auto",
      extent=(0, shown["seconds"], 0, shown["hertz"] / 1000),
      vmin=shown["low"],
      vmax=shown["high"],
      cmap="magma",
    )
    _style.title(axes, title)
    axes.set_xlabel("seconds")
  panels[0].set_ylabel("kHz")
  bar = figure.colorbar(image, ax=list(panels), pad=0.01)
  bar.set_label("normalised log-magnitude")
  bar.outline.set_visible(False)
  _style.save(figure, path)
