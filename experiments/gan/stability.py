"""Part "stability": how many modes are covered, over rates and widths."""

from typing import Any

import numpy as np

from experiments.gan.cells import Cell
from experiments.gan.cells import describe
from experiments.gan.table import Played
from mixup_jax import results
from mixup_jax.data import toy
from mixup_jax.gan import modes

METRIC = modes.METRICS[0]
RATE, WIDTH = "learning rate", "width"


def cells_of(config: Any) -> list[Cell]:
  """Returns a game for every method, width and learning rate."""
  return [
    Cell(
      dataset,
      method,
      loss,
      (width,) * len(config.hidden),
      rate,
      config.first_seed,
      config.seeds,
      config.iterations,
    )
    for dataset in config.datasets
    for method in config.methods
    for loss in config.generator_losses
    for width in config.widths
    for rate in config.learning_rates
  ]


def result(config: Any, cells: list[Cell], played: Played) -> Any:
  """Returns a row for every game, and a heat map for every method."""
  outcomes = dict(played)
  values = {
    cell: [
      outcomes[cell].lines[-1][f"{METRIC}/seed_{seed}"] for seed in cell.seeds
    ]
    if cell in outcomes
    else []
    for cell in cells
  }
  kinds = list(
    dict.fromkeys((cell.dataset, describe(config, cell)) for cell in cells)
  )
  return {
    "rows": [
      results.summarize(
        found,
        setting=f"{_setting(config, cell.dataset)}, width "
        f"{cell.hidden[0]}, rate {cell.learning_rate:g}",
        method=describe(config, cell),
        metric=METRIC,
        paper=None,
        epochs=0,
      )
      for cell, found in values.items()
    ],
    "heat_maps": [
      _heat_map(
        config,
        kind,
        {
          (cell.hidden[0], cell.learning_rate): found
          for cell, found in values.items()
          if (cell.dataset, describe(config, cell)) == kind
        },
      )
      for kind in kinds
    ],
  }


def _setting(config: Any, dataset: str) -> str:
  """Names the data, and for how long a game is."""
  return f"{dataset}, after {config.iterations:,} iterations"


def _heat_map(
  config: Any,
  kind: tuple[str, str],
  values: dict[tuple[int, float], list[float]],
) -> results.HeatMap:
  """Returns the map of a method, means over its seeds."""
  dataset, method = kind

  def mean(found: list[float]) -> float | None:
    return round(float(np.mean(found)), 4) if found else None

  return results.HeatMap(
    setting=_setting(config, dataset),
    method=method,
    key=method,
    metric=f"{METRIC}, of {len(toy.GAUSSIAN_CENTERS[dataset])}",
    x=RATE,
    y=WIDTH,
    columns=list(config.learning_rates),
    lines=list(config.widths),
    values=[
      [mean(values[width, rate]) for rate in config.learning_rates]
      for width in config.widths
    ],
    limits=[0, len(toy.GAUSSIAN_CENTERS[dataset])],
  )
