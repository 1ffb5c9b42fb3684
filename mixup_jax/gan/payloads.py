"""What a result holds for the figures of section 3.7: points, and maps."""

from typing import Mapping, Sequence

import jax
import numpy as np

from mixup_jax import results
from mixup_jax.data import toy
from mixup_jax.gan import modes
from mixup_jax.gan.run import Outcome
from mixup_jax.gan.run import Run
from mixup_jax.results import encoding


def snapshots(
  runs: Sequence[Run],
  outcomes: Mapping[str, Outcome],
  *,
  iterations: Sequence[int],
) -> list[results.Snapshots]:
  """Returns the points of the first seed of every method, beside real ones.

  Args:
    runs: The runs; those of later seeds are left out.
    outcomes: What came out, by the name of the run; not of those that failed.
    iterations: When snapshots were taken.

  Returns:
    A payload for each run: the snapshots that it was long enough for, and as
    many real points, which are always the same of a data set.
  """
  first = min(run.seeds.start for run in runs)
  found = []
  for run in runs:
    if run.name in outcomes and run.seeds.start == first:
      taken = dict(zip(iterations, outcomes[run.name].shown[0]))
      taken = {at: taken[at] for at in taken if at <= run.iterations}
      count = outcomes[run.name].shown.shape[2]
      found.append(
        results.Snapshots(
          setting=run.dataset,
          method=run.method.label,
          key=run.method.key,
          iterations=list(taken),
          real=encoding.encode_points(_real_points(run.dataset, count)),
          fake=[encoding.encode_points(points) for points in taken.values()],
        )
      )
  return found


def heat_maps(
  runs: Sequence[Run], outcomes: Mapping[str, Outcome]
) -> list[results.HeatMap]:
  """Returns a map of the modes covered, for every data set and method.

  Args:
    runs: For each of them, one for every width and learning rate.
    outcomes: What came out, by the name of the run; not of those that failed.

  Returns:
    Maps of means over the seeds, with None where a run failed.
  """
  groups: dict[tuple[str, results.Method], list[Run]] = {}
  for run in runs:
    groups.setdefault((run.dataset, run.method), []).append(run)
  return [
    _heat_map(dataset, method, group, outcomes)
    for (dataset, method), group in groups.items()
  ]


def _heat_map(
  dataset: str,
  method: results.Method,
  runs: Sequence[Run],
  outcomes: Mapping[str, Outcome],
) -> results.HeatMap:
  """Returns the map of a method on a data set."""
  metric, num_modes = modes.METRICS[0], len(toy.GAUSSIAN_CENTERS[dataset])
  widths = sorted({run.hidden[0] for run in runs})
  rates = sorted({run.learning_rate for run in runs})
  found: dict[tuple[int, float], float] = {}
  for run in runs:
    if run.name in outcomes:
      values = outcomes[run.name].values(metric, run.iterations)
      place = run.hidden[0], run.learning_rate
      found[place] = round(float(np.mean(values)), 4)
  return results.HeatMap(
    setting=f"{dataset}, after {runs[0].iterations:,} iterations",
    method=method.label,
    key=method.key,
    metric=f"{metric}, of {num_modes}",
    x="learning rate",
    y="width",
    columns=list(rates),
    lines=list(widths),
    values=[[found.get((width, rate)) for rate in rates] for width in widths],
    limits=[0, num_modes],
  )


def _real_points(dataset: str, count: int) -> np.ndarray:
  """Returns `[count, 2]` points of a data set, always the same."""
  centers = toy.GAUSSIAN_CENTERS[dataset]
  # Compiled: the transfer guard refuses what is put on the device by accident.
  draw = jax.jit(
    lambda: toy.sample_gaussians(jax.random.key(0), centers, count)
  )
  return np.asarray(jax.device_get(draw()))
