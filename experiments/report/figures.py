"""Figures of results."""

import pathlib
from typing import Any

import matplotlib

matplotlib.use("Agg")  # Draws to files; needs no screen.
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from mixup_jax import results  # noqa: E402


def draw(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws what a result has to show: curves, or differences to ERM.

  Args:
    result: What `result.json` holds.
    path: The file to write; none if there is nothing to draw.
  """
  if result.get("curves"):
    draw_curves(result, path)
  elif any(row["metric"] == results.DIFFERENCE for row in result["rows"]):
    draw_differences(result, path)


def draw_curves(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws metrics over epochs: the mean of the seeds, and their range.

  Args:
    result: A result with curves, each of a setting, a method and a metric.
    path: The file to write.
  """
  curves = result["curves"]
  settings = list(dict.fromkeys(curve["setting"] for curve in curves))
  colors = {"ERM": "tab:blue", "mixup": "tab:orange"}
  figure, panels = plt.subplots(1,
                                len(settings),
                                figsize=(6.4 * len(settings), 4.2),
                                squeeze=False)
  for curve in curves:
    axes = panels[0][settings.index(curve["setting"])]
    values = np.asarray(curve["values"])  # [seeds, epochs]
    is_test = curve["metric"].startswith("test")
    color = colors.get(curve["method"].split(",")[0])
    line, = axes.plot(curve["epochs"],
                      values.mean(0),
                      color=color,
                      linewidth=2 if is_test else 1.2,
                      linestyle="-" if is_test else ":",
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
    axes.set_title(f"{setting} ({seeds})", loc="left", fontsize=11)
    axes.set_xlabel("epoch")
    axes.set_ylabel("error (%)")
    axes.set_ylim(bottom=0)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
  _save(figure, path)


def draw_differences(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws by how much mixup changes the error, with 95 % intervals.

  Args:
    result: A result with paired differences to ERM.
    path: The file to write.
  """
  rows = [row for row in result["rows"] if row["metric"] == results.DIFFERENCE]
  settings = list(dict.fromkeys(row["setting"] for row in rows))
  methods = list(dict.fromkeys(row["method"] for row in rows))
  colors = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(methods)))
  figure, axes = plt.subplots(figsize=(8, 0.75 * len(settings) + 1.4))
  axes.axvline(0, color="0.4", linewidth=1)
  for index, (method, color) in enumerate(zip(methods, colors)):
    chosen = [row for row in rows if row["method"] == method]
    offset = 0.16 * (index - (len(methods) - 1) / 2)
    axes.errorbar([row["value"] for row in chosen],
                  [settings.index(row["setting"]) + offset for row in chosen],
                  xerr=[1.96 * row["std"] / row["n"]**0.5 for row in chosen],
                  fmt="o",
                  markersize=5,
                  capsize=2,
                  color=color,
                  label=method)
  paper = _paper_differences(result)
  axes.plot([paper[setting] for setting in settings],
            range(len(settings)),
            "D",
            markersize=7,
            markerfacecolor="none",
            color="tab:red",
            label="paper")
  axes.set_yticks(range(len(settings)), settings)
  axes.invert_yaxis()
  axes.set_xlabel("test error of mixup minus that of ERM, percentage points; "
                  "left of 0 mixup is better")
  axes.grid(axis="x", color="0.9")
  axes.set_axisbelow(True)
  axes.spines[["top", "right"]].set_visible(False)
  axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
  axes.set_title(
      f"Paired differences over {rows[0]['n']} seeds, {rows[0]['epochs']} "
      "epochs, 95 % intervals",
      loc="left",
      fontsize=11)
  _save(figure, path)


def _save(figure: plt.Figure, path: pathlib.Path) -> None:
  """Writes a figure, the same bytes for the same figure."""
  figure.savefig(path,
                 dpi=120,
                 bbox_inches="tight",
                 metadata={"Software": None})
  plt.close(figure)


def _paper_differences(result: dict[str, Any]) -> dict[str, float]:
  """Returns mixup minus ERM in the paper, for each setting."""
  paper: dict[str, dict[str, float]] = {}
  for row in result["rows"]:
    if row["paper"] is not None:
      family = row["method"].split(",")[0]
      paper.setdefault(row["setting"], {})[family] = row["paper"]
  return {name: both["mixup"] - both["ERM"] for name, both in paper.items()}
