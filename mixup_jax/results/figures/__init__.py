"""Figures of results: what a result holds decides which one is drawn."""

import pathlib
from typing import Any

from mixup_jax import results


def draw(result: dict[str, Any], path: pathlib.Path) -> bool:
  """Draws what a result has to show, if it has a figure.

  Args:
    result: What `result.json` holds.
    path: The file to write; none if there is nothing to draw.

  Returns:
    Whether there was something to draw. Spectrograms get a file of their own,
    beside the other.
  """
  # Only now: matplotlib takes half a second.
  if result.get("spectrograms"):
    from mixup_jax.results.figures import _spectrograms

    beside = path.with_stem(f"{path.stem}_spectrograms")
    _spectrograms.draw(result["spectrograms"], beside)
  if result.get("curves"):
    from mixup_jax.results.figures import _curves

    _curves.draw(result, path)
  elif result.get("plane") or result.get("pairs"):
    from mixup_jax.results.figures import _in_between

    _in_between.draw(result, path)
  elif result.get("reliability"):
    from mixup_jax.results.figures import _reliability

    _reliability.draw(result, path)
  elif result.get("snapshots"):
    from mixup_jax.results.figures import _snapshots

    _snapshots.draw(result["snapshots"], path)
  elif result.get("heat_maps"):
    from mixup_jax.results.figures import _heat_maps

    _heat_maps.draw(result["heat_maps"], path)
  elif result.get("robustness"):
    from mixup_jax.results.figures import _robustness

    _robustness.draw(result, path)
  elif any(row["metric"] == results.P_VALUE for row in result["rows"]):
    from mixup_jax.results.figures import _mixing

    _mixing.draw(result, path)
  elif any(row["metric"] == results.DIFFERENCE for row in result["rows"]):
    from mixup_jax.results.figures import _differences

    _differences.draw(result, path)
  elif result.get("layout", {}).get("lines") == "method":
    from mixup_jax.results.figures import _dots

    _dots.draw(result, path)
  else:
    return False
  return True
