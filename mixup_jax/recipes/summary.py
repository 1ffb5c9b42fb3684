"""From the lines of trained networks to rows and curves of a result."""

from typing import Any, Callable, Iterable, Mapping, Sequence

import numpy as np

from mixup_jax import results
from mixup_jax.recipes import in_memory
from mixup_jax.train.run import Lines

Measure = Callable[[Lines], float]
SECONDS = "seconds a network"


def last(key: str) -> Measure:
  """Returns what takes a metric from the last line of a run."""
  return lambda lines: lines[-1].get(key, np.nan)


def rows(
  trained: Sequence[Lines],
  metrics: Mapping[str, Measure],
  *,
  setting: str,
  method: results.Method,
  epochs: int,
) -> list[results.Row]:
  """Makes the rows of one method from the lines of every seed.

  Args:
    trained: The lines of each run, as of `run.train`.
    metrics: What to take from the lines, by the name of the metric. One that is
      NaN for a seed is left out.
    setting: The setting of the rows.
    method: The method.
    epochs: The epochs of each run.

  Returns:
    A row a metric, and one of the seconds that a network took.
  """
  made = []
  for metric, measure in {**metrics, SECONDS: in_memory.seconds}.items():
    values = [measure(lines) for lines in trained]
    if not np.isnan(values).any():
      made.append(
        results.summarize(
          values, setting=setting, method=method, metric=metric, epochs=epochs
        )
      )
  return made


def curves(
  trained: Sequence[Lines],
  metrics: Mapping[str, str],
  *,
  setting: str,
  method: results.Method,
) -> list[results.Curve]:
  """Makes curves over the epochs from the lines of every seed.

  Args:
    trained: The lines of each run.
    metrics: The key of a line, by the name of the metric. One that lines do not
      have is left out.
    setting: The setting of the curves.
    method: The method.

  Returns:
    A curve a metric, with the values of every seed.
  """
  return [
    results.Curve(
      setting=setting,
      method=method.label,
      key=method.key,
      metric=metric,
      epochs=[int(line["epoch"]) for line in trained[0]],
      values=[[round(line[key], 4) for line in lines] for lines in trained],
    )
    for metric, key in metrics.items()
    if key in trained[0][0]
  ]


def wall_seconds(trained: Iterable[Sequence[Lines]]) -> float:
  """Returns how long all networks took, in all processes together."""
  every = (lines for each in trained for lines in each)
  return round(sum(map(in_memory.seconds, every)), 2)


def tabulate(
  trained: Iterable[tuple[str, results.Method, Sequence[Lines]]],
  *,
  metrics: Mapping[str, Measure],
  curve_keys: Mapping[str, str],
  paper: Sequence[results.PaperNumber],
  epochs: int,
) -> results.Result:
  """Makes the table and the curves of a section, beside the paper's numbers.

  Args:
    trained: Setting, method, and the lines of every seed, of each network.
    metrics: As in `rows`.
    curve_keys: The metrics of `curves`.
    paper: The numbers of the paper's table.
    epochs: The epochs of each run.

  Returns:
    The rows, the numbers not run, the curves and the time of all networks.
  """
  each, shown = list(trained), []
  made: list[results.Row] = []
  for setting, method, lines in each:
    named: dict[str, Any] = {"setting": setting, "method": method}
    made += rows(lines, metrics, epochs=epochs, **named)
    shown += curves(lines, curve_keys, **named)
  made, not_run = results.beside_paper(made, paper)
  return {
    "rows": made,
    "not_run": not_run,
    "curves": shown,
    "wall_seconds": wall_seconds(lines for _, _, lines in each),
  }
