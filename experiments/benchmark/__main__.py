"""Speed, side by side in one run: ours, and what you would write instead.

    pip install -e '.[benchmark]'
    python -m experiments.benchmark transforms
    python -m experiments.benchmark transforms --rounds=5 --workdir=RUN
    python -m experiments.benchmark losses
    python -m experiments.benchmark every_transform
    python -m experiments.benchmark tabular --dataset=phishing_websites
    python -m experiments.benchmark step --width=64
    python -m experiments.benchmark gan --seeds=20
    python -m experiments.benchmark input
    python -m experiments.benchmark speech
    python -m experiments.benchmark startup --rounds=7
    python -m experiments.benchmark scale --rounds=3 --workdir=RUN
    python -m experiments.benchmark compare HEAD~1 --part=transforms

PyTorch is the other side of most: its mixing is the algorithm
of the released code (a lambda of numpy, a random permutation, two products and
a sum), its training a plain loop over seeds. `every_transform` has torchvision,
timm and keras beside it, and runs without those that are not there. The sides
of a pair alternate, and a ratio is the median of the ratios of calls that
follow each other. With `--workdir` what was measured is a result, which
`python -m experiments.report RUN/result.json` prints.

`startup` measures whole commands: a smoke run beside a PyTorch loop over the
same seeds, and `--help` beside the imports that it needs.

`scale` has no other side: it fits how time and memory grow with the size, each
size in a process of its own. The same command with the same working directory
measures the sizes that it lacks.

`compare` runs a part in this tree and in that of another commit, alternately,
and has status 1 if a case has become slower by more than `--threshold` per
cent. What it does not know are options of the part:
`python -m experiments.benchmark compare main --part=transforms --official_only`

On a busy machine wall times favour short calls, and the side whose threads wait
less for each other. There measure processor time, on one core, since threads
that wait spin:
`taskset -c 0 python -m experiments.benchmark transforms --clock=processor`.
"""

import os
import pathlib
import sys
import time
from typing import Any, Mapping, Sequence

import jax

from experiments.benchmark import compare
from experiments.benchmark import decoding
from experiments.benchmark import every_transform
from experiments.benchmark import gan
from experiments.benchmark import losses
from experiments.benchmark import options
from experiments.benchmark import peers
from experiments.benchmark import scale
from experiments.benchmark import speech
from experiments.benchmark import startup
from experiments.benchmark import step
from experiments.benchmark import tabular
from experiments.benchmark import timing
from experiments.benchmark import transforms
from mixup_jax import results
from mixup_jax.results import files
from mixup_jax.results import recorder
from mixup_jax.results import workdirs
from mixup_jax.runtime import one_line


def main(argv: Sequence[str] | None = None) -> None:
  """Prints a table of the part that the command line names."""
  arguments, more = options.parse(argv)
  if arguments.part == "compare":
    with one_line.bad_input():
      status = compare.main(
        arguments.base,
        [arguments.of, *more],
        rounds=arguments.rounds,
        threshold=arguments.threshold,
      )
    sys.exit(status)
  config = {k: v for k, v in vars(arguments).items() if k != "workdir"}
  workdir = getattr(arguments, "workdir", None)
  libraries = _libraries(arguments.part)
  if arguments.part == "tabular":
    jax.config.update("jax_num_cpu_devices", os.cpu_count())
  if workdir is not None:
    with one_line.bad_input():
      workdir = workdirs.check(workdir, config)
  environment = _environment(libraries)
  print(", ".join(f"{k} {v}" for k, v in environment.items()), end="\n\n")
  start = time.perf_counter()
  if arguments.part == "scale":
    # Those of another commit, or of changes, would be of other code.
    commit = environment["commit"] or "+"
    kept = workdir and workdir / f"points_{commit}"
    if commit.endswith("+"):
      kept = None
    text, result = scale.table(rounds=arguments.rounds, directory=kept)
  elif arguments.part == "startup":
    text, result = startup.table(rounds=arguments.rounds)
  else:
    text, measured = _run(libraries, dict(config))
    result = timing.result(measured, config.get("clock", "wall"))
  print(text)
  if workdir is not None:
    seconds = round(time.perf_counter() - start, 2)
    path = _write(workdir, result, config, environment, seconds)
    print(f"\n{seconds:.1f} s, written to {path}")


def _libraries(part: str) -> dict[str, Any]:
  """Imports what a part compares with; PyTorch, or exits if it is not there."""
  if part in ("input", "speech", "scale"):
    return {}
  if part == "every_transform":
    return peers.load()
  try:
    import torch
  except ImportError:
    sys.exit(
      "error: the benchmark compares with PyTorch, which is not "
      "installed: pip install -e '.[benchmark]'"
    )
  return {"torch": torch}


def _environment(libraries: Mapping[str, Any]) -> dict[str, Any]:
  """Returns that of all results, the load of the machine, and versions."""
  found = {**recorder.environment(), "load": round(os.getloadavg()[0], 1)}
  found |= {name: module.__version__ for name, module in libraries.items()}
  if "torch" in libraries:
    found["torch_threads"] = libraries["torch"].get_num_threads()
  return found


def _run(
  libraries: Mapping[str, Any], given: dict[str, Any]
) -> tuple[str, list[timing.Measured]]:
  """Returns the table of a part, and the times that a result can hold."""
  torch = libraries.get("torch")
  match given.pop("part"):
    case "transforms":
      return transforms.table(torch, **given)
    case "losses":
      return losses.table(torch, **given)
    case "every_transform":
      return every_transform.table(libraries, **given)
    case "step":
      return step.table(torch, **given)
    case "speech":
      return speech.table(**given)
    case "input":
      return decoding.table(**given)
    case "gan":
      config = gan.paper_config(given.pop("width"))
      return gan.table(torch, config, **given), []
  try:
    problem = tabular.load_problem(
      given["dataset"], given["data_dir"], given["seeds"]
    )
  except (ValueError, FileNotFoundError) as error:
    sys.exit(f"error: {error}")
  return tabular.table(torch, problem), []


def _write(
  workdir: pathlib.Path,
  result: results.Result,
  config: Mapping[str, Any],
  environment: Mapping[str, Any],
  seconds: float,
) -> pathlib.Path:
  """Writes `result.json`, and returns its path."""
  content = {
    "section": "benchmark",
    "wall_seconds": seconds,
    **result,
    "config": config,
    "environment": environment,
  }
  path = workdir / "result.json"
  files.replace(path, files.to_json(content, indent=2))
  return path


if __name__ == "__main__":
  main()
