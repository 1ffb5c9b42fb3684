"""Part "modes": what is measured of every method, and the paper's figure."""

from typing import Any

import jax
import numpy as np

from experiments.gan.cells import Cell
from experiments.gan.cells import describe
from experiments.gan.cells import Outcome
from experiments.gan.cells import setting
from mixup_jax import results
from mixup_jax.data import toy
from mixup_jax.gan import modes
from mixup_jax.results import encoding

LAYOUT = results.Layout(
  lines="metric", columns="method", metrics=list(modes.METRICS)
)
Played = list[tuple[Cell, Outcome]]


def cells_of(config: Any) -> list[Cell]:
  """Returns the games: the seeds that play to the end, and the others."""
  long = min(config.long_seeds, config.seeds)
  groups = (
    (config.first_seed, long, config.iterations),
    (config.first_seed + long, config.seeds - long, config.short_iterations),
  )
  return [
    Cell(
      dataset, method, loss, tuple(config.hidden), config.learning_rate, *group
    )
    for group in groups
    if group[1]
    for dataset in config.datasets
    for method in config.methods
    for loss in config.generator_losses
  ]


def result(config: Any, cells: list[Cell], played: Played) -> Any:
  """Returns rows, snapshots and their layout."""
  del cells
  return {
    "rows": rows(config, played),
    "layout": LAYOUT,
    "snapshots": snapshots(config, played),
  }


def rows(config: Any, played: Played) -> list[results.Row]:
  """Returns rows after the short and the long time, over all seeds there."""
  found: dict[tuple[str, str, str], list[float]] = {}
  lasts = sorted({cell.iterations for cell, _ in played})
  for dataset in config.datasets:
    for iteration in lasts:
      for cell, outcome in played:
        if cell.dataset == dataset and iteration <= cell.iterations:
          # A long run was measured where the short ones end.
          line = next(
            line for line in outcome.lines if line["step"] == iteration
          )
          where = setting(cell, iteration)
          for metric in modes.METRICS:
            key = where, describe(config, cell), metric
            found.setdefault(key, []).extend(
              line[f"{metric}/seed_{seed}"] for seed in cell.seeds
            )
  return [
    results.summarize(
      values, setting=name, method=method, metric=metric, paper=None, epochs=0
    )
    for (name, method, metric), values in found.items()
  ]


def snapshots(config: Any, played: Played) -> list[results.Snapshots]:
  """Returns the snapshots of the first seed of every method."""
  shown = []
  for cell, outcome in played:
    if cell.first_seed != config.first_seed:
      continue
    taken = [
      i for i, at in enumerate(config.snapshots) if at <= cell.iterations
    ]
    shown.append(
      results.Snapshots(
        setting=cell.dataset,
        method=describe(config, cell),
        key=describe(config, cell),
        iterations=[config.snapshots[i] for i in taken],
        real=encoding.encode_points(
          real_points(cell.dataset, config.num_shown)
        ),
        fake=[encoding.encode_points(outcome.shown[0, i]) for i in taken],
      )
    )
  return shown


def real_points(dataset: str, count: int) -> np.ndarray:
  """Returns points of the data, always the same."""
  draw = jax.jit(
    lambda: toy.sample_gaussians(
      jax.random.key(0), toy.GAUSSIAN_CENTERS[dataset], count
    )
  )
  return np.asarray(jax.device_get(draw()))
