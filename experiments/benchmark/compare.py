"""Compares the speed of two commits in one run, case by case.

Each tree runs its own benchmark in processes of its own, which alternate. So a
drift of the machine cancels, and what differs between two starts of the same
program, such as where its memory lies, is in the spread.
"""

import contextlib
import io
import json
import math
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
from typing import Iterator, Mapping, Sequence

import numpy as np

from experiments.benchmark import timing
from mixup_jax import results

ROOT = pathlib.Path(__file__).parent.parent.parent
Times = dict[str, list[float]]  # Milliseconds of each round, by case.


def main(
  base: str, command: Sequence[str], *, rounds: int, threshold: float
) -> int:
  """Prints the ratios of this tree to another; returns the exit status.

  Args:
    base: The other tree: a commit of this repository, or a directory.
    command: A part of the benchmark that writes a result, and its options.
    rounds: How often to start each tree.
    threshold: By how many per cent a case may be slower.

  Returns:
    1 if a case is slower by more, and its interval is above 1; or else 0.

  Raises:
    ValueError: If there are fewer than two rounds, the threshold is negative,
      `base` is neither, a tree cannot run the command, or no case is of both.
  """
  if rounds < 2:
    raise ValueError(f"--rounds must be at least 2 for a spread, got {rounds}.")
  if not threshold >= 0:
    raise ValueError(f"--threshold must be at least 0, got {threshold}.")
  with checked_out(base) as other:
    trees = {"base": other, "new": ROOT}
    print(f"base: {_describe(base)}\nnew: {_describe('')}\n", flush=True)
    times = measure(trees, command, rounds)
  text, slower = table(times["base"], times["new"], threshold)
  print(text)
  if slower:
    more = f"slower by more than {threshold:g} %"
    print(f"\n{more}: {', '.join(slower)}")
  return bool(slower)


@contextlib.contextmanager
def checked_out(base: str) -> Iterator[pathlib.Path]:
  """Yields the directory of a tree; that of a commit is removed again."""
  commit = _git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}")
  if not commit:
    directory = pathlib.Path(base).expanduser().absolute()
    if not (directory / "experiments" / "benchmark").is_dir():
      raise ValueError(
        f"{base!r} is neither a commit of this repository nor a directory with "
        "experiments/benchmark: name one, such as main or HEAD~1."
      )
    yield directory
    return
  # Its files alone: a worktree would stay known to git if this were killed.
  packed = subprocess.run(
    ["git", "-C", str(ROOT), "archive", commit],
    stdout=subprocess.PIPE,
    check=True,
  )
  with tempfile.TemporaryDirectory() as temporary:
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
      files.extractall(temporary, filter="data")
    yield pathlib.Path(temporary)


def _git(*words: str) -> str:
  """Returns what git prints about this repository; nothing if it fails."""
  try:
    done = subprocess.run(
      ["git", "-C", str(ROOT), *words],
      capture_output=True,
      text=True,
      check=False,
    )
  except OSError:
    return ""
  return done.stdout.strip() if done.returncode == 0 else ""


def _describe(commit: str) -> str:
  """Names a tree: by its commit; this one, "", also by what it changes."""
  about = ["describe", "--always", "--abbrev=12", "--exclude=*"]
  if commit:
    found = _git(*about, f"{commit}^{{commit}}")
    return f"{commit} ({found})" if found else f"the directory {commit}"
  found = _git(*about, "--dirty=+") or "no repository"
  changed = ", with changes that are not committed"
  return f"this tree ({found}{changed if found.endswith('+') else ''})"


def measure(
  trees: Mapping[str, pathlib.Path], command: Sequence[str], rounds: int
) -> dict[str, Times]:
  """Runs a part of the benchmark in each tree, one after the other.

  Args:
    trees: Directories by name.
    command: The part, and its options.
    rounds: How often; every other round begins with the last tree.

  Returns:
    The times of each tree.
  """
  found: dict[str, Times] = {name: {} for name in trees}
  for number in range(rounds):
    print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    for name in list(trees)[:: -1 if number % 2 else 1]:
      for case, ms in _once(name, trees[name], command).items():
        found[name].setdefault(case, []).append(ms)
  return found


def _once(
  name: str, tree: pathlib.Path, command: Sequence[str]
) -> dict[str, float]:
  """Returns the milliseconds of each case of ours, from one process."""
  module = [sys.executable, "-m", "experiments.benchmark", *command]
  path = filter(None, [str(tree), os.environ.get("PYTHONPATH")])
  with tempfile.TemporaryDirectory() as directory:
    done = subprocess.run(
      [*module, f"--workdir={directory}"],
      cwd=tree,
      # Ahead of a tree that is installed, also where the directory is not.
      env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
      capture_output=True,
      text=True,
      check=False,
    )
    written = pathlib.Path(directory, "result.json")
    if done.returncode or not written.exists():
      last = (done.stderr.strip() or "no result").splitlines()[-1]
      raise ValueError(f"{name} cannot run {' '.join(command)!r}: {last}")
    rows = json.loads(written.read_text(encoding="utf-8"))["rows"]
  found: dict[str, float] = {}
  for row in rows:
    if row["key"] == timing.OURS.key and row["metric"].startswith("ms,"):
      # Where both clocks were read, that of the wall is the first.
      found.setdefault(row["setting"], row["value"])
  return found


def table(base: Times, new: Times, threshold: float) -> tuple[str, list[str]]:
  """Returns a line for each case, and the names of those that are slower."""
  lines = [["case", "base ms", "new ms", "new / base", "95 %", ""]]
  slower = []
  for case in dict.fromkeys([*base, *new]):
    if case not in base or case not in new:
      where = "base" if case in base else "new"
      lines.append([case, "-", "-", "-", "-", f"in {where} alone"])
      continue
    means = [f"{np.mean(times[case]):.3f}" for times in (base, new)]
    # Of logarithms, so that base over new would be the inverse.
    row = results.summarize(
      np.log(np.divide(new[case], base[case])),
      setting=case,
      method=timing.OURS,
      metric="",
      epochs=0,
    )
    found = results.interval(row)
    assert found is not None  # There are two rounds or more.
    ratio, low, high = map(math.exp, found)
    error = ratio * results.standard_error(row)
    word = ""
    if low > 1 and ratio > 1 + threshold / 100:
      slower.append(case)
      word = "slower"
    elif high < 1 and ratio < 1 / (1 + threshold / 100):
      word = "faster"
    spread = f"{low:.3f} to {high:.3f}"
    lines.append([case, *means, f"{ratio:.3f} ± {error:.3f}", spread, word])
  if not set(base) & set(new):
    raise ValueError(
      f"no case is in both trees: base has {', '.join(base) or 'none'}; new "
      f"has {', '.join(new) or 'none'}."
    )
  return results.format_table(lines), slower
