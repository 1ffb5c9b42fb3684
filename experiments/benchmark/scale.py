"""How time and memory grow: a process for each size, and fitted exponents."""

import functools
import json
import subprocess
import sys
import tempfile
from typing import Any, Mapping, Sequence

import numpy as np

from experiments.benchmark import quantities
from mixup_jax import results
from mixup_jax.runtime import jobs
from mixup_jax.runtime import storage

MEMORY = 24e9  # Bytes.
_SCALES = {
  quantities.SECONDS: 1.0,
  quantities.BYTES: 1e-6,
  quantities.PEAK: 1e-6,
}


def table(
  *, rounds: int, directory: storage.Path | None = None
) -> tuple[str, results.Result]:
  """Measures every size in processes of their own.

  Args:
    rounds: Processes for each size.
    directory: Where each point is kept, and read when it is there.

  Returns:
    A table for each quantity, and the result.
  """
  rows: list[results.Row] = []
  seconds = 0.0
  for number, (name, quantity) in enumerate(quantities.ALL.items()):
    points = {}
    for size in quantity.sizes:
      print(f"{name}: {size:,} {quantity.unit}", file=sys.stderr, flush=True)
      points[size] = [
        jobs.kept(
          directory and directory / f"{number}_{size}_{turn}.json",
          functools.partial(_in_a_process, name, size),
        )
        for turn in range(rounds)
      ]
      seconds += sum(point.pop("seconds") for point in points[size])
    rows += quantity_rows(quantity, points)
  layout = results.Layout(
    lines="setting",
    columns="metric",
    metrics=[quantities.SECONDS, quantities.BYTES, quantities.PEAK],
  )
  result = results.Result(
    rows=rows, layout=layout, wall_seconds=round(seconds, 2)
  )
  return results.format_result(result), result


def _in_a_process(name: str, size: int) -> quantities.Point:
  """Returns what `quantities.measure` does, in a new process."""
  with tempfile.TemporaryFile("w+") as out:
    subprocess.run(
      [
        sys.executable,
        "-m",
        "experiments.benchmark.quantities",
        name,
        str(size),
      ],
      stdout=out,
      check=True,
    )
    out.seek(0)
    point: quantities.Point = json.loads(out.read())
  return point


def quantity_rows(
  quantity: quantities.Quantity,
  points: Mapping[int, Sequence[Mapping[str, Any]]],
) -> list[results.Row]:
  """Returns a row for each size and metric, and those of the fits."""
  method = results.Method("ours", f"{quantity.name}: {quantity.unit}")
  rows: list[results.Row] = []

  def add(setting: str, values: Any, decimals: int, **spread: Any) -> None:
    row = results.summarize(
      values, setting=setting, method=method, metric=metric, epochs=0
    )
    row["decimals"] = decimals
    rows.append({**row, **spread})  # type: ignore[typeddict-item]

  for metric, scale in _SCALES.items():
    known = {
      size: [x for x in (each.get(metric) for each in found) if x is not None]
      for size, found in points.items()
    }
    for size, values in known.items():
      if metric == quantities.BYTES:
        values = values[:1]  # A compiler does not vary.
      scaled = np.multiply(values, scale)
      add(f"{size:,}", scaled, 4 if metric == quantities.SECONDS else 1)
    if metric == quantities.PEAK:
      continue  # Most of a small one is Python's.
    exponent, error = fitted(known)
    n = len(next(iter(points.values())))
    add("exponent", [exponent], 2, std=error * n**0.5, n=n)
    if metric == quantities.BYTES:
      largest = float(f"{largest_fitting(known, exponent):.2g}")
      add(f"at {MEMORY / 1e9:.0f} GB, extrapolated", [largest], 0)
  return rows


def fitted(known: Mapping[int, Sequence[float]]) -> tuple[float, float]:
  """Fits an exponent, by least squares of logarithms.

  Args:
    known: Values by size, three or more of two sizes or more.

  Returns:
    The exponent, and its standard error.
  """
  pairs = [(size, x) for size, values in known.items() for x in values]
  sizes, values = np.log(np.asarray(pairs, np.float64)).T
  (slope, _), covariance = np.polyfit(sizes, values, 1, cov=True)
  return float(slope), float(covariance[0, 0] ** 0.5)


def largest_fitting(
  known: Mapping[int, Sequence[float]], exponent: float
) -> float:
  """Extrapolates the size that takes all of the memory, by the largest two.

  Along a line, or along the fitted power if that is reached earlier.
  """
  (n1, b1), (n2, b2) = [(n, np.mean(x)) for n, x in known.items()][-2:]
  line = n2 + (MEMORY - b2) * (n2 - n1) / (b2 - b1) if b2 > b1 else np.inf
  power = n2 * (MEMORY / b2) ** (1 / exponent) if exponent > 1 else np.inf
  return float(min(line, power))
