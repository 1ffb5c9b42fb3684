"""How time and memory grow: a process for each size, and fitted exponents.

Bytes are those that XLA assigns to arguments, results and temporaries of the
compiled program, which no run is needed for; of a sweep, whose program takes
some seeds at a time, those of all splits and curves. Peaks are the most memory
that the process held, Python and the compiler included.
"""

import functools
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Mapping, NamedTuple, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmark import tabular
from mixup_jax import losses
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.runtime import jobs
from mixup_jax.runtime import storage

MEMORY = 24e9  # Bytes.
SECONDS, BYTES, PEAK = "s", "MB", "MB, peak of the process"
_SCALES = {SECONDS: 1.0, BYTES: 1e-6, PEAK: 1e-6}
_PIXELS = 3072  # Of an image of CIFAR.
_BATCH = 1024
_LONG = 2.0  # Seconds: a call that takes more is not repeated.
_CALLS = 9

Array = jax.Array
Point = dict[str, float | None]  # By metric, in seconds and bytes.


class Quantity(NamedTuple):
  """What grows.

  Attributes:
    name: The function, and what stays fixed.
    unit: What is counted.
    sizes: How many of it, rising.
    function: What is measured, a function of a key and an array.
    array: Returns shape and dtype of the array at a size.
    longest: The largest size that is run; the others are compiled alone.
  """

  name: str
  unit: str
  sizes: tuple[int, ...]
  function: Callable[[Array, Array], Any]
  array: Callable[[int], tuple[tuple[int, ...], Any]]
  longest: int = sys.maxsize


def _random(key: Array, rows: Array) -> Array:
  return transforms.random_partners(key, len(rows))


def _similar(key: Array, values: Array) -> Array:
  return transforms.similar_target_partners(key, values, sigma=0.1)


def _assigned(key: Array, inputs: Array) -> Array:
  return transforms.assigned_partners(key, inputs, group=16)


def _neighbors(key: Array, inputs: Array) -> Array:
  del key
  return transforms.nearest_neighbors(inputs, k=10)


def _gradient(key: Array, logits: Array, *, soft: bool) -> Any:
  """Takes the gradient of the loss of mixed labels, or of soft targets."""
  batch, classes = logits.shape
  own, other = jax.random.randint(key, (2, batch), 0, classes, jnp.int32)
  targets = transforms.MixedLabels(own, other, jnp.float32(0.3))
  given = targets.soft(classes) if soft else targets

  def mean(logits: Array) -> Array:
    return losses.cross_entropy(logits, given).mean()

  return jax.value_and_grad(mean)(logits)


def _floats(*columns: int) -> Callable[[int], tuple[tuple[int, ...], Any]]:
  return lambda size: ((size, *columns), np.float32)


_BATCHES = (1024, 4096, 16_384, 65_536)
_CLASSES = (1000, 4600, 21_000)
_ROWS = (5000, 16_000, 50_000, 500_000)
QUANTITIES = (
  Quantity("random_partners", "rows", _BATCHES, _random, _floats()),
  Quantity("similar_target_partners", "rows", _BATCHES, _similar, _floats()),
  Quantity(
    "assigned_partners, groups of 16, 3,072 columns",
    "rows",
    _BATCHES,
    _assigned,
    _floats(_PIXELS),
  ),
  Quantity(
    "nearest_neighbors, 10 of 64 columns",
    "rows",
    _ROWS,
    _neighbors,
    _floats(64),
    longest=50_000,
  ),
  Quantity(
    "nearest_neighbors, 10 of 3,072 columns",
    "rows",
    _ROWS,
    _neighbors,
    _floats(_PIXELS),
    longest=16_000,
  ),
  *(
    Quantity(
      f"cross_entropy and its gradient, {targets}, batch 1,024",
      "classes",
      _CLASSES,
      functools.partial(_gradient, soft=targets == "soft targets"),
      lambda size: ((_BATCH, size), np.float32),
    )
    for targets in ("MixedLabels", "soft targets")
  ),
)
SEEDS = Quantity(
  "tabular, ERM and mixup on Iris, 10 epochs",
  "seeds",
  (10, 100, 1000),
  lambda key, rows: None,  # See `_measure_seeds`.
  _floats(),
)
ALL = {quantity.name: quantity for quantity in (*QUANTITIES, SEEDS)}


def measure(name: str, size: int) -> Point:
  """Measures a size of a quantity in this process, best a fresh one."""
  if name == SEEDS.name:
    return _measure_seeds(size)
  quantity = ALL[name]
  shape, dtype = quantity.array(size)
  key = jax.random.key(0)
  lowered = jax.jit(quantity.function).lower(
    key, jax.ShapeDtypeStruct(shape, dtype)
  )
  program = lowered.compile()
  found: Point = {BYTES: _program_bytes(program), SECONDS: None, PEAK: None}
  if size <= quantity.longest:
    data = np.random.default_rng(0).random(shape, dtype)
    array = jax.device_put(data)
    del data
    found[SECONDS] = _seconds(lambda: program(key, array))
    found[PEAK] = _peak()
  return found


def _measure_seeds(count: int) -> Point:
  """Measures a sweep of so many seeds, without its compilation."""
  problem = tabular.load_problem("iris", None, count)
  train = tabular.sweep_of(problem)
  kept = [*jax.tree.leaves(problem.splits), *train().values()]
  held = float(sum(x.nbytes for x in kept))
  return {BYTES: held, SECONDS: _seconds(train), PEAK: _peak()}


def _program_bytes(program: Any) -> float:
  """Returns what XLA assigns to a program."""
  assigned = program.memory_analysis()
  return float(
    assigned.argument_size_in_bytes
    + assigned.output_size_in_bytes
    + assigned.temp_size_in_bytes
    - assigned.alias_size_in_bytes
  )


def _seconds(call: Callable[[], Any]) -> float:
  """Returns the median time of calls after the first, or that of a long one."""
  times: list[float] = []
  while len(times) <= _CALLS and sum(times) < _LONG:
    start = time.perf_counter()
    jax.block_until_ready(call())
    times.append(time.perf_counter() - start)
  return statistics.median(times[1:] or times)


def _peak() -> float | None:
  """Returns the most bytes that this process held; None if not on Linux.

  `ru_maxrss` would be that of the parent, if it held more when this one began.
  """
  try:
    text = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
  except OSError:
    return None
  line = next(x for x in text.splitlines() if x.startswith("VmHWM:"))
  return 1024.0 * int(line.split()[1])


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
  for number, (name, quantity) in enumerate(ALL.items()):
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
    lines="setting", columns="metric", metrics=[SECONDS, BYTES, PEAK]
  )
  result = results.Result(
    rows=rows, layout=layout, wall_seconds=round(seconds, 2)
  )
  return results.format_result(result), result


def _in_a_process(name: str, size: int) -> Point:
  """Returns what `measure` does, in a new process."""
  with tempfile.TemporaryFile("w+") as out:
    subprocess.run(
      [sys.executable, "-m", "experiments.benchmark.scale", name, str(size)],
      stdout=out,
      check=True,
    )
    out.seek(0)
    point: Point = json.loads(out.read())
  return point


def quantity_rows(
  quantity: Quantity, points: Mapping[int, Sequence[Mapping[str, Any]]]
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
      if metric == BYTES:
        values = values[:1]  # A compiler does not vary.
      scaled = np.multiply(values, scale)
      add(f"{size:,}", scaled, 4 if metric == SECONDS else 1)
    if metric == PEAK:
      continue  # Most of a small one is Python's.
    exponent, error = fitted(known)
    n = len(next(iter(points.values())))
    add("exponent", [exponent], 2, std=error * n**0.5, n=n)
    if metric == BYTES:
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


if __name__ == "__main__":
  print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
