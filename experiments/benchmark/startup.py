"""Whole commands, from their start to their end, beside what they replace.

The smoke run of a table, at its first start and at its second, which finds its
programs compiled; and a PyTorch loop over the same seeds, alphas, splits and
epochs, which is given the scaled table as a file. And `--help`, beside the
imports that it cannot do without.
"""

import operator
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Mapping, NamedTuple, Sequence

import numpy as np

from configs import tabular as configs
from experiments.benchmark import tabular
from experiments.benchmark import timing
from mixup_jax import results

ROOT = pathlib.Path(__file__).parent.parent.parent
LOOP = results.Method("pytorch", "PyTorch loop")
IMPORTS = results.Method("imports", "import jax, flax")
_FIRST, _SECOND = "tabular, smoke, first start", "tabular, smoke, second start"
_HELP = "tabular, --help"
# They change what is compiled before a start: programs, and sources.
_NOT_OURS = {"JAX_COMPILATION_CACHE_DIR", "PYTHONDONTWRITEBYTECODE"}
# What is compared, with what, and the largest ratio that we aim at.
COMPARED = ((_FIRST, LOOP, 0.5), (_SECOND, LOOP, 0.5), (_HELP, IMPORTS, 1.5))


class Took(NamedTuple):
  """What a command took.

  Attributes:
    wall: Milliseconds from its start to its end.
    processor: Milliseconds of all its threads.
  """

  wall: float
  processor: float


def run(command: Sequence[str], environment: Mapping[str, str]) -> Took:
  """Runs Python with a command, and returns what it took.

  Raises:
    ValueError: If it fails.
  """
  with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(
      [sys.executable, *command],
      cwd=ROOT,
      env=environment,
      stdout=subprocess.DEVNULL,
      stderr=errors,
      check=False,
    )
    wall, after = time.perf_counter() - start, os.times()
    errors.seek(0)
    if done.returncode:
      last = (errors.read().strip() or "no message").splitlines()[-1]
      raise ValueError(f"{' '.join(command)} failed: {last}")
  processor = (
    after.children_user
    + after.children_system
    - before.children_user
    - before.children_system
  )
  return Took(1e3 * wall, 1e3 * processor)


def commands(directory: pathlib.Path) -> dict[str, list[str]]:
  """Returns the commands by name, in the order of their turns.

  Args:
    directory: Where to write the table that the loop is given.
  """
  config = configs.get_config("smoke")
  (name,) = config.datasets
  problem = tabular.load_problem(name, None, config.seeds)
  path = directory / "table.npz"
  np.savez(
    path,
    inputs=[tabular.scaled(problem, seed) for seed in range(config.seeds)],
    labels=problem.labels,
    train_rows=problem.splits.train_rows,
    test_rows=problem.splits.test_rows,
  )
  section = ["-m", "experiments.tabular"]
  smoke = [*section, "--config=configs/tabular.py:smoke"]
  loop = ["-m", "experiments.benchmark.torch_table", str(path)]
  return {
    LOOP.label: [*loop, "0", *map(str, config.alphas)],
    _FIRST: smoke,
    _SECOND: smoke,
    _HELP: [*section, "--help"],
    IMPORTS.label: ["-c", "import jax, flax"],
  }


def table(*, rounds: int) -> tuple[str, results.Result]:
  """Measures every command once a round.

  Args:
    rounds: How often; before the first each is run once, to be in memory.

  Returns:
    Tables of wall and of processor time, and the result of both.
  """
  took: dict[str, list[Took]] = {}
  with tempfile.TemporaryDirectory() as name:
    directory = pathlib.Path(name)
    given = commands(directory)
    for number in range(rounds + 1):
      own = directory / str(number)  # Of this round: nothing is compiled yet.
      environment = {
        **{k: v for k, v in os.environ.items() if k not in _NOT_OURS},
        "XDG_CACHE_HOME": str(own / "cache"),
        "MPLCONFIGDIR": str(directory / "fonts"),  # Else listed once more.
        "TMPDIR": str(own),
      }
      own.mkdir()
      for command, words in given.items():
        found = run(words, environment)
        if number:
          took.setdefault(command, []).append(found)
  measured = {clock: compared(took, clock) for clock in timing.CLOCKS}
  text = "\n\n".join(
    f"{clock} time\n{timing.table(cases)}" for clock, cases in measured.items()
  )
  found_results = [timing.result(c, clock) for clock, c in measured.items()]
  rows = [row for each in found_results for row in each["rows"]]
  metrics = [x for each in found_results for x in each["layout"]["metrics"]]
  layout = results.Layout(lines="setting", columns="method", metrics=metrics)
  return text, results.Result(rows=rows, layout=layout)


def compared(
  took: Mapping[str, Sequence[Took]], clock: str
) -> list[timing.Measured]:
  """Returns the times of `COMPARED`, by one of the clocks."""
  by_clock = {
    name: tuple(getattr(each, clock) for each in found)
    for name, found in took.items()
  }
  return [
    timing.Measured(
      timing.Case(name, lambda: None, against, lambda: None, goal),
      by_clock[name],
      by_clock[against.label],
      tuple(map(operator.truediv, by_clock[name], by_clock[against.label])),
    )
    for name, against, goal in COMPARED
  ]
