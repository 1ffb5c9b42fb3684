"""The change of the error by other ways of mixing, and their inputs."""

import pathlib
import textwrap
from typing import Any

import matplotlib.pyplot as plt

from mixup_jax import results
from mixup_jax.results import encoding
from mixup_jax.results.figures import _style


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws paired differences, and mixed inputs below if there are any.

  Args:
    result: A result with rows of `results.P_VALUE`, and of the differences that
      these test, which are the second metric of its layout; perhaps with
      `results.MixedInputs`.
    path: The file to write.
  """
  metric = result["layout"]["metrics"][1]
  rows = [
    row
    for row in result["rows"]
    if row["metric"] == metric and row["value"] is not None
  ]
  settings = list(dict.fromkeys(row["setting"] for row in rows))
  mixed = result.get("mixed_inputs")
  height = 0.3 * len(rows) + 0.9 + 0.3 * len(settings)
  figure = plt.figure(
    figsize=(9, height + (1.9 if mixed else 0)), layout="constrained"
  )
  parts = figure.subfigures(
    2 if mixed else 1,
    1,
    height_ratios=[height, 1.9][: 2 if mixed else 1],
    squeeze=False,
  )[:, 0]
  _draw_differences(rows, settings, metric, parts[0])
  if mixed:
    _draw_mixed(mixed, parts[1].subplots())
  _style.save(figure, path)


def _draw_differences(
  rows: list[dict[str, Any]], settings: list[str], metric: str, figure: Any
) -> None:
  """Draws a panel for each setting, with its own scale."""
  panels = figure.subplots(
    len(settings),
    1,
    squeeze=False,
    height_ratios=[
      sum(row["setting"] == setting for row in rows) for setting in settings
    ],
  )[:, 0]
  for setting, axes in zip(settings, panels):
    chosen = [row for row in rows if row["setting"] == setting]
    axes.axvline(0, color="0.4", linewidth=1)
    axes.errorbar(
      [row["value"] for row in chosen],
      range(len(chosen)),
      xerr=[results.margin(row) for row in chosen],
      fmt="o",
      markersize=5,
      capsize=2,
    )
    axes.set_yticks(range(len(chosen)), [row["method"] for row in chosen])
    axes.set_ylim(len(chosen) - 0.5, -0.5)
    _style.tidy(axes, grid="x")
    about = f"{setting}, {chosen[0]['n']} seeds, 95 % intervals"
    _style.title(axes, textwrap.fill(about, width=84))
  panels[-1].set_xlabel(f"test error {metric}; left of 0 is better")


def _draw_mixed(mixed: dict[str, Any], axes: plt.Axes) -> None:
  """Shows the images, with lam below and the name of each row beside them."""
  picture = encoding.decode_png(mixed["png"])
  axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
  height = picture.shape[0] / len(mixed["rows"])
  lams = mixed["lam"] * mixed["pairs"]
  width = picture.shape[1] / len(lams)
  axes.set_yticks(
    [height * (i + 0.5) - 0.5 for i in range(len(mixed["rows"]))], mixed["rows"]
  )
  axes.set_xticks(
    [width * (i + 0.5) - 0.5 for i in range(len(lams))],
    [f"{lam:g}" for lam in lams],
    fontsize=7,
  )
  for pair in range(1, mixed["pairs"]):
    axes.axvline(width * len(mixed["lam"]) * pair - 0.5, color="tab:red")
  axes.set_xlabel("lam, the weight of the image to the left")
  axes.tick_params(length=0)
  axes.spines[:].set_visible(False)
