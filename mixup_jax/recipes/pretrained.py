"""Networks trained with ERM and with mixup, by this run or by an earlier one.

Each has a directory `METHOD/seed_N` below that of its run, as those of
experiments.cifar have.
"""

import json
from typing import Any, Mapping, Sequence

import ml_collections

from mixup_jax import results
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import mixing
from mixup_jax.results import metric_lines
from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import storage
from mixup_jax.train import state as states
from mixup_jax.train.program import Program
from mixup_jax.train.run import state_shapes

# Whose runs have such networks, of images in memory.
SECTIONS = ("cifar", "in_between", "adversarial")


def trained_as(config: Any, sections: Sequence[str] = SECTIONS) -> Any:
  """Returns the config that the networks are, or were, trained with.

  Args:
    config: The config of this run, which names theirs as `networks`, or "".
    sections: Whose runs will do.

  Returns:
    The config of their run, with the `data_dir` of this one if it has one.

  Raises:
    ValueError: If that is no finished run of such networks.
    OSError: If its result cannot be read.
  """
  if not config.networks:
    return config
  path = storage.path(config.networks, "config.networks") / "result.json"
  try:
    result = json.loads(path.read_text(encoding="utf-8"))
  except (FileNotFoundError, NotADirectoryError, ValueError):
    result = {}
  if result.get("section") not in sections:
    raise ValueError(
      f"config.networks={config.networks} is no finished run of "
      f"{' or '.join(f'experiments.{s}' for s in sections)}: "
      "name a directory with its result.json, or give '' to "
      "train here."
    )
  theirs = ml_collections.ConfigDict(_tuples(result["config"]))
  if "mix" not in theirs:
    raise ValueError(
      f"config.networks={config.networks} is a run from before config.mix: "
      "train its networks again, or give '' to train here."
    )
  theirs.data_dir = config.data_dir or theirs.data_dir
  return theirs


def methods(config: Any) -> list[results.Method]:
  """Returns both methods that networks are needed of: ERM, and the transform.

  Args:
    config: The config that the networks are trained with.

  Returns:
    The methods.
  """
  return [results.ERM, mixing.method(config.mix)]


def directory(
  workdir: str | storage.Path, method: results.Method, seed: int
) -> storage.Path:
  """Returns where a network is in the directory of a run."""
  return storage.path(workdir, "workdir") / method.key / f"seed_{seed}"


def _tuples(tree: Any) -> Any:
  """Returns nested values with tuples for lists, as they were before JSON."""
  if isinstance(tree, dict):
    return {name: _tuples(value) for name, value in tree.items()}
  return tuple(map(_tuples, tree)) if isinstance(tree, list) else tree


def check(
  config: Any, theirs: Any, made: Mapping[results.Method, Program]
) -> None:
  """Raises if a network that is not to be trained cannot be read.

  Args:
    config: The config of this run.
    theirs: The config that the networks were trained with.
    made: The program of each method.

  Raises:
    ValueError: If one has no checkpoint, one of another model, or one that is
      not of the end of its training, where its `metrics.jsonl` is beside it.
    OSError: If its latest checkpoint is damaged, which stays as it is.
  """
  if not config.networks:
    return
  for method, program in made.items():
    for seed in in_memory.seeds(theirs):
      path = directory(config.networks, method, seed)
      found = _read(program, path)
      if found is None:
        raise ValueError(
          f"config.networks={config.networks} has no checkpoint "
          f"in {path}: name a run with both methods."
        )
      _check_is_last(path, int(found.step), theirs.epochs)


def _check_is_last(path: storage.Path, step: int, epochs: int) -> None:
  """Raises ValueError if a network, by its metrics, was trained for longer.

  Or if it was to be: a run that failed has a result of its other networks.
  """
  line = metric_lines.last_epoch(path / metric_lines.FILE)
  if line is None or (line.get("epoch"), line.get("step")) == (epochs, step):
    return
  raise ValueError(
    f"config.networks: the latest checkpoint in {path} is of step {step}, but "
    f"its {metric_lines.FILE} ends with epoch {line.get('epoch', 0)} of "
    f"{epochs}, step {line.get('step', 0)}: give the run that wrote it its "
    "command again, which trains to the end."
  )


def get(
  config: Any,
  program: Any,
  data: Any,
  method: results.Method,
  seed: int,
  workdir: storage.Path,
) -> tuple[states.TrainState, float]:
  """Trains a network, or reads it if there is a trained one.

  Args:
    config: The config of this run.
    program: The program of the method, one that `in_memory.train` takes if the
      network is to be trained.
    data: The set.
    method: The method.
    seed: The seed of the network.
    workdir: The directory of this run, below which it trains.

  Returns:
    The state of the network, and in how many seconds it was trained here.

  Raises:
    OSError: If it is gone.
  """
  seconds = 0.0
  path = directory(config.networks or workdir, method, seed)
  if not config.networks:
    lines = in_memory.train(config, program, data, seed=seed, workdir=path)
    seconds = in_memory.seconds(lines)
  found = _read(program, path)
  if found is None:
    raise OSError(
      f"there is no checkpoint in {path} any more: delete it "
      "to train the network again."
    )
  return found, seconds


def _read(program: Program, path: storage.Path) -> states.TrainState | None:
  """Reads the network in a directory, if there is one."""
  with checkpoint.Checkpoints(path / "checkpoints") as saved:
    found = saved.read(state_shapes(program))
  return found and found[1]
