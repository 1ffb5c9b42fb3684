"""Figures of results: what a result holds decides which one is drawn."""

import importlib
import os
import pathlib
from typing import Any, Mapping, Sequence

from mixup_jax import results

# The first name that a result holds chooses the module: a payload, a metric of
# its rows, or what the lines of its table are.
_MODULES = {
  "curves": "_curves",
  "plane": "_in_between",
  "pairs": "_in_between",
  "reliability": "_reliability",
  "snapshots": "_snapshots",
  "heat_maps": "_heat_maps",
  "robustness": "_robustness",
  results.P_VALUE: "_mixing",
  results.DIFFERENCE: "_differences",
  "method": "_dots",
}


def draw(result: Mapping[str, Any], path: pathlib.Path) -> bool:
  """Draws the figure of a result, if it has one.

  Args:
    result: A result, or the content of `result.json`.
    path: The file to write. Spectrograms have a file of their own beside it.

  Returns:
    Whether there was something to draw at `path`.
  """
  held = {name for name, payload in result.items() if payload}
  held |= {row["metric"] for row in result["rows"]}
  held.add(result.get("layout", {}).get("lines"))
  if "spectrograms" in held:
    beside = path.with_stem(f"{path.stem}_spectrograms")
    _module("_spectrograms").draw(result, beside)
  chosen = [module for name, module in _MODULES.items() if name in held]
  if chosen:
    _module(chosen[0]).draw(result, path)
  return bool(chosen)


def draw_panels(panels: Sequence[results.Panel], path: pathlib.Path) -> None:
  """Draws panels of several results side by side.

  Args:
    panels: The panels, from left to right; of none, nothing is drawn.
    path: The file to write.
  """
  if panels:
    _module("_panels").draw(panels, path)


def _module(name: str) -> Any:
  """Imports a module of figures only now: matplotlib takes half a second."""
  # Set before matplotlib reads it, which raises for a value it does not know.
  os.environ["MPLBACKEND"] = "Agg"
  return importlib.import_module(f"{__name__}.{name}")
