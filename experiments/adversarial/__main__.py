"""Section 3.5, Table 3: ERM and mixup under attack.

    python -m experiments.adversarial
    python -m experiments.adversarial --config.networks=RUN --workdir=DIR

White box: each network is attacked with its own gradient. Black box: examples
are made with the first network of ERM, and shown to the others of ERM and to
those of mixup. Projected gradient descent, which the paper does not have, is
the attack that mixup does not protect from.
"""

import pathlib
import time
from typing import Any, NamedTuple

import jax
import numpy as np
import tqdm

from experiments.adversarial import attack
from experiments.adversarial import strip
from experiments.adversarial import table
from mixup_jax import cli
from mixup_jax import models
from mixup_jax import networks
from mixup_jax import platforms
from mixup_jax import program as programs
from mixup_jax import recipe
from mixup_jax import records
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax import state as states
from mixup_jax.data import images

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "adversarial.py"
_LOWEST = {"iterations": 1, "pgd_steps": 1, "restarts": 1, "num_shown": 1}

States = dict[str, dict[int, states.TrainState]]  # By method and seed.


class Prepared(NamedTuple):
  """What a run needs, checked."""
  config: Any  # That the networks are trained with.
  data: images.ImageSet
  programs: dict[str, programs.Program]  # That train them, by method.
  attacks: attack.Program
  examples: tuple[np.ndarray, np.ndarray]


def check(config: Any) -> None:
  """Raises a ValueError for a value that is out of its range."""
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(f"config.{name} must be at least {low}, got "
                       f"{config[name]}.")
  for epsilon in config.epsilons:
    if not 0 <= epsilon <= 255:
      raise ValueError(f"config.epsilons has {epsilon}: it is how far a pixel "
                       "of 0 to 255 may move.")
  missing = {0.0, config.epsilon} - set(config.epsilons)
  if missing:
    raise ValueError(f"config.epsilons={config.epsilons} must hold 0 and "
                     f"config.epsilon={config.epsilon}, which the table is of.")


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds all programs."""
  check(config)
  theirs = networks.trained_as(config)
  if theirs.seeds < 2:
    raise ValueError("a black box needs a second network of ERM, got "
                     f"seeds={theirs.seeds}: use two or more.")
  data = recipe.load(theirs)
  known = len(data.test_labels)
  if not 0 <= config.num_images <= known:
    raise ValueError(f"config.num_images={config.num_images}, but {data.name} "
                     f"has {known} test images: 0 takes all.")
  rows = slice(config.num_images or None)
  labels = data.test_labels[rows]
  outside = labels[(labels < 0) | (labels >= data.num_classes)]
  if outside.size:
    raise ValueError(f"{data.name} has the label {outside[0]}, but only "
                     f"{data.num_classes} classes: prepare the set anew.")
  mesh = sharding.make_mesh()
  model = models.build(num_classes=data.num_classes,
                       dtype=platforms.compute_dtype(theirs.precision),
                       **theirs.model)
  alphas = networks.methods(theirs.alpha)
  made = {
      name:
          recipe.make_program(theirs,
                              data,
                              transform=recipe.mixing(theirs, alpha))
      for name, alpha in alphas.items()
  }
  networks.check(config, theirs, made)
  return Prepared(theirs, data, made, attack.make_program(model, data, mesh),
                  (data.test_images[rows], labels))


def get_networks(config: Any, prepared: Prepared,
                 workdir: pathlib.Path) -> tuple[States, float]:
  """Trains the networks or finds them; returns how long that took."""
  found: States = {}
  seconds = 0.0
  for method, program in prepared.programs.items():
    family = method.split(",")[0]
    for seed in recipe.seeds(prepared.config):
      state, trained = networks.get(config, program, prepared.data, method,
                                    seed, workdir)
      found.setdefault(family, {})[seed] = state
      seconds += trained
  return found, seconds


def measure(config: Any, prepared: Prepared, found: States) -> table.Values:
  """Attacks every network at every epsilon; returns the errors."""
  theirs = prepared.config
  first = recipe.seeds(theirs)[0]
  everyone = {(method, seed): state for method, each in found.items()
              for seed, state in each.items()}  # yapf: disable
  values: Any = {method: {} for method in found}
  mesh = prepared.attacks.mesh
  known = -(-len(prepared.examples[1]) // mesh.size) * mesh.size
  jobs = [(box, name, epsilon)
          for box in ("white box", "black box")
          for name in attack.known(config)
          for epsilon in config.epsilons
          if (box, name) != ("black box", "PGD")]
  for box, name, epsilon in tqdm.tqdm(jobs,
                                      unit="attack",
                                      disable=jax.process_index() > 0):
    source = ("ERM", first)
    tested = [{key: state} for key, state in everyone.items()]
    if box == "black box":
      tested = [{key: s for key, s in everyone.items() if key != source}]
    for each in tested:
      attacked = source if box == "black box" else next(iter(each))
      errors = attack.errors(prepared.attacks,
                             everyone[attacked],
                             each,
                             prepared.examples,
                             batch_size=min(known, theirs.eval_batch_size),
                             attack=attack.known(config)[name],
                             epsilon=epsilon,
                             seed=config.attack_seed)
      for (method, seed), both in errors.items():
        seeds = values[method].setdefault(f"{box}, {name}", {})
        seeds.setdefault(seed, []).append(both)
  return {
      method: {
          name: list(seeds.values()) for name, seeds in each.items()
      } for method, each in values.items()
  }


def run(config: Any, prepared: Prepared,
        recorder: records.Recorder) -> results.Result:
  """Gets the networks, attacks them, and returns rows, curves and a strip."""
  found, seconds = get_networks(config, prepared, recorder.workdir)
  start = time.perf_counter()
  values = measure(config, prepared, found)
  rows = table.result_rows(config, prepared.config, values)
  rows += table.paper_rows()
  first = {method: next(iter(each.values())) for method, each in found.items()}
  return {
      "rows": rows,
      "layout": table.layout(rows),
      "robustness": table.curves(config, prepared.config, values),
      "strip": strip.make(config, prepared.attacks, first, prepared.examples),
      "wall_seconds": round(seconds + time.perf_counter() - start, 2)
  }


if __name__ == "__main__":
  cli.launch("adversarial", prepare=prepare, run=run, config_file=CONFIG)
