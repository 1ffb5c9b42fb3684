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
import tqdm

from experiments.adversarial import attack
from experiments.adversarial import strip
from experiments.adversarial import subjects
from experiments.adversarial import table
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import pretrained
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.train import state as states

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "adversarial.py"
_LOWEST = {"iterations": 1, "pgd_steps": 1, "restarts": 1, "num_shown": 1}

States = dict[str, dict[int, states.TrainState]]  # By method and seed.


class Prepared(NamedTuple):
  """What a run needs, checked."""

  subjects: subjects.Subjects
  attacks: attack.Program


def check(config: Any) -> None:
  """Raises a ValueError for a value that is out of its range."""
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(
        f"config.{name} must be at least {low}, got {config[name]}."
      )
  for epsilon in config.epsilons:
    if not 0 <= epsilon <= 255:
      raise ValueError(
        f"config.epsilons has {epsilon}: it is how far a pixel "
        "of 0 to 255 may move."
      )
  missing = {0.0, config.epsilon} - set(config.epsilons)
  if missing:
    raise ValueError(
      f"config.epsilons={config.epsilons} must hold 0 and "
      f"config.epsilon={config.epsilon}, which the table is of."
    )


def prepare(config: Any) -> Prepared:
  """Checks the config, finds the networks and images, builds all programs."""
  check(config)
  found = subjects.find(config)
  return Prepared(
    found, attack.make_program(found.model, found.data, sharding.make_mesh())
  )


def get_networks(
  config: Any, prepared: Prepared, workdir: pathlib.Path
) -> tuple[States, float]:
  """Trains the networks or finds them; returns how long that took."""
  found: States = {}
  seconds = 0.0
  known = prepared.subjects
  for method, program in known.programs.items():
    family = method.split(",")[0]
    for seed in in_memory.seeds(known.config):
      state, trained = pretrained.get(
        config, program, known.data, method, seed, workdir
      )
      found.setdefault(family, {})[seed] = state
      seconds += trained
  return found, seconds


def measure(config: Any, prepared: Prepared, found: States) -> table.Values:
  """Attacks every network at every epsilon; returns the errors."""
  theirs, examples = prepared.subjects.config, prepared.subjects.examples
  first = in_memory.seeds(theirs)[0]
  everyone = {
    (method, seed): state
    for method, each in found.items()
    for seed, state in each.items()
  }
  values: Any = {method: {} for method in found}
  mesh = prepared.attacks.mesh
  known = -(-len(examples[1]) // mesh.size) * mesh.size
  jobs = [
    (box, name, epsilon)
    for box in ("white box", "black box")
    for name in attack.known(config)
    for epsilon in config.epsilons
    if (box, name) != ("black box", "PGD")
  ]
  for box, name, epsilon in tqdm.tqdm(
    jobs, unit="attack", disable=jax.process_index() > 0
  ):
    source = ("ERM", first)
    tested = [{key: state} for key, state in everyone.items()]
    if box == "black box":
      tested = [{key: s for key, s in everyone.items() if key != source}]
    for each in tested:
      attacked = source if box == "black box" else next(iter(each))
      errors = attack.errors(
        prepared.attacks,
        everyone[attacked],
        each,
        examples,
        batch_size=min(known, theirs.eval_batch_size),
        attack=attack.known(config)[name],
        epsilon=epsilon,
        seed=config.attack_seed,
      )
      for (method, seed), both in errors.items():
        seeds = values[method].setdefault(f"{box}, {name}", {})
        seeds.setdefault(seed, []).append(both)
  return {
    method: {name: list(seeds.values()) for name, seeds in each.items()}
    for method, each in values.items()
  }


def run(
  config: Any, prepared: Prepared, recorder: records.Recorder
) -> results.Result:
  """Gets the networks, attacks them, and returns rows, curves and a strip."""
  theirs, examples = prepared.subjects.config, prepared.subjects.examples
  found, seconds = get_networks(config, prepared, recorder.workdir)
  start = time.perf_counter()
  values = measure(config, prepared, found)
  rows = table.result_rows(config, theirs, values) + table.paper_rows()
  first = {method: next(iter(each.values())) for method, each in found.items()}
  return {
    "rows": rows,
    "layout": table.layout(rows),
    "robustness": table.curves(config, theirs, values),
    "strip": strip.make(config, prepared.attacks, first, examples),
    "wall_seconds": round(seconds + time.perf_counter() - start, 2),
  }


if __name__ == "__main__":
  cli.launch("adversarial", prepare=prepare, run=run, config_file=CONFIG)
