"""What mixed inputs look like, one way to mix beside the other."""

import pathlib
from typing import Any

import matplotlib.pyplot as plt

from mixup_jax import pictures
from mixup_jax.figures import _style


def draw(strips: list[dict[str, Any]], path: pathlib.Path) -> None:
  """Draws a panel a way to mix, from the first example to its partner.

  Args:
    strips: Each as `results.Strip`, with one name in all its rows.
    path: The file.
  """
  figure, panels = plt.subplots(1,
                                len(strips),
                                squeeze=False,
                                figsize=(3.2 * len(strips), 2.6))
  for axes, strip in zip(panels[0], strips):
    picture = pictures.decode(strip["png"])
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    width = picture.shape[1] / strip["columns"]
    lams = [1 - i / (strip["columns"] - 1) for i in range(strip["columns"])]
    axes.set_xticks([width * (i + 0.5) for i in range(len(lams))],
                    [f"{lam:g}" for lam in lams])
    axes.set_yticks([])
    axes.set_xlabel("lam")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _style.title(axes, strip["rows"][0])
  _style.save(figure, path)
