"""What grows with a size, and one size of it, measured in this process.

Bytes are those that XLA assigns to arguments, results and temporaries of the
compiled program, which no run is needed for; of a sweep, whose program takes
some seeds at a time, those of all splits and curves. Peaks are the most memory
that the process held, Python and the compiler included.
"""

import functools
import json
import pathlib
import statistics
import sys
import time
from typing import Any, Callable, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmark import tabular
from mixup_jax import losses
from mixup_jax import transforms
from mixup_jax.train import side_by_side

SECONDS, BYTES, PEAK = "s", "MB", "MB, peak of the process"
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
  held = float(side_by_side.allotted(program.memory_analysis()))
  found: Point = {BYTES: held, SECONDS: None, PEAK: None}
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


if __name__ == "__main__":
  print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
