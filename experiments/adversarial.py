"""Section 3.5, Table 3: ERM and mixup under attack.

    python -m experiments.adversarial
    python -m experiments.adversarial --config.networks=RUN --workdir=DIR

White box: each network is attacked with its own gradient. Black box: the
gradient is that of the first network of ERM, and the others of ERM and those of
mixup are measured. Besides the paper's two attacks there is projected gradient
descent, which is stronger. With --config.inference_samples=30, networks are
also measured as mixup inference defends them.
"""

import collections
import functools
import pathlib
from typing import Any, NamedTuple, Sequence

import jax
import numpy as np
import tqdm

from configs import adversarial as configs
from configs import cifar
from configs import imagenet
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.evaluation import robustness
from mixup_jax.recipes import pretrained
from mixup_jax.recipes import protocol
from mixup_jax.recipes import ranges
from mixup_jax.recipes import subjects
from mixup_jax.results import encoding
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs
from mixup_jax.runtime import storage
from mixup_jax.train.state import TrainState

CONFIG = pathlib.Path(configs.__file__)

ERRORS = ("top-1 error (%)", "top-5 error (%)")
# These errors, of ERM and of mixup: Zhang et al., ICLR 2018, Table 3.
TABLE_3 = {
  "white box, FGSM": ((90.7, 75.2), (63.1, 49.1)),
  "white box, I-FGSM": ((99.9, 99.6), (93.4, 95.8)),
  "black box, FGSM": ((57.0, 46.0), (24.8, 17.4)),
  "black box, I-FGSM": ((57.3, 40.9), (18.1, 11.8)),
}
# The paper states neither alpha nor the epochs of its networks.
PAPER = [
  results.PaperNumber(
    "imagenet2012, resnet101, epsilon 4", method, f"{error}, {attack}", number
  )
  for index, error in enumerate(ERRORS)
  for attack, errors in TABLE_3.items()
  for method, number in zip(("ERM", "mixup"), errors[index])
]

DEFENDED = ", mixup inference"

States = dict[tuple[results.Method, int], TrainState]  # By method and seed.
# By method, and box and attack: `[seeds, epsilons, 2]`, as `ERRORS`.
Values = dict[tuple[results.Method, str], np.ndarray]


class Prepared(NamedTuple):
  """Validated inputs of `run`."""

  subjects: subjects.Subjects
  examples: tuple[np.ndarray, np.ndarray]
  program: robustness.Program
  measure_by_mixes: robustness.Measure | None = None


def prepare(config: Any) -> Prepared:
  """Checks the config, finds networks and images, and compiles the attacks."""
  ranges.check(config)
  if not {0.0, config.epsilon} <= set(config.epsilons):
    raise ValueError(
      f"config.epsilons={config.epsilons} must hold 0 and "
      f"config.epsilon={config.epsilon}, which the table is of."
    )
  found = subjects.find(config, (*pretrained.SECTIONS, "imagenet"))
  if found.config.seeds < 2:
    raise ValueError(
      "a black box needs a second network of ERM, got "
      f"seeds={found.config.seeds}: use two or more."
    )
  program = robustness.make_program(
    found.model, found.data, sharding.make_mesh()
  )
  return Prepared(
    found,
    subjects.examples(found, config.num_images),
    program,
    defence(config, found, program) if config.inference_samples else None,
  )


def defence(
  config: Any, found: subjects.Subjects, program: robustness.Program
) -> robustness.Measure:
  """Returns what measures a network as mixup inference defends it."""
  if "image_size" in found.config:
    raise ValueError(
      f"config.inference_samples={config.inference_samples}: mixup inference "
      "draws from training images in memory, and these stream, so give 0."
    )
  data, count = found.data, config.inference_pool
  return robustness.measure_by_mixes(
    program,
    (data.train_images[:count], data.train_labels[:count]),
    seed=config.attack_seed,
    lam=config.inference_lam,
    samples=config.inference_samples,
  )


def attacks(config: Any) -> dict[str, robustness.Attack]:
  """Returns the attacks by name: the paper's two, and PGD; also defended."""
  steps, pgd_steps = config.iterations, config.pgd_steps
  known = {
    "FGSM": robustness.Attack(1, 1.0),
    "I-FGSM": robustness.Attack(steps, 1 / steps),
    "PGD": robustness.Attack(pgd_steps, 2.5 / pgd_steps, config.restarts),
  }
  if config.inference_samples:
    known |= {name + DEFENDED: attack for name, attack in known.items()}
  return known


def measure(
  config: Any, prepared: Prepared, states: States, workdir: storage.Path
) -> tuple[Values, float]:
  """Attacks every network at every epsilon; returns errors and seconds.

  The errors of each attack are kept in the working directory.
  """
  first = next(iter(states))  # Of the networks of ERM.
  shown_to = {  # By box: which network is attacked, and which are measured.
    "white box": [(name, [name]) for name in states],
    "black box": [(first, [name for name in states if name != first])],
  }
  grid = [
    (box, name, epsilon)
    for box in shown_to
    for name in attacks(config)
    for epsilon in config.epsilons
    if not (box == "black box" and name.startswith("PGD"))
  ]
  found: Any = collections.defaultdict(lambda: collections.defaultdict(list))
  seconds = 0.0
  for box, name, epsilon in tqdm.tqdm(
    grid, unit="attack", disable=jax.process_index() > 0
  ):
    cell = jobs.kept(
      workdir / "attacks" / f"{box}, {name}, {epsilon}.json".replace(" ", "_"),
      functools.partial(
        attack, config, prepared, states, shown_to[box], name, epsilon
      ),
    )
    measured = [
      network for _, networks in shown_to[box] for network in networks
    ]
    for (method, seed), both in zip(measured, cell["errors"]):
      found[method, f"{box}, {name}"][seed].append(both)
    seconds += cell["seconds"]
  values = {key: np.array(list(x.values())) for key, x in found.items()}
  return values, seconds


def attack(
  config: Any,
  prepared: Prepared,
  states: States,
  shown_to: Sequence[tuple[Any, Sequence[Any]]],
  name: str,
  epsilon: float,
) -> dict[str, Any]:
  """Attacks some networks; returns the errors of those that are measured."""
  errors: list[tuple[float, float]] = []
  for attacked, measured in shown_to:
    errors += robustness.errors(
      prepared.program,
      states[attacked],
      {network: states[network] for network in measured},
      prepared.examples,
      batch_size=prepared.subjects.config.eval_batch_size,
      attack=attacks(config)[name],
      epsilon=epsilon,
      seed=config.attack_seed,
      measure=prepared.measure_by_mixes if name.endswith(DEFENDED) else None,
    ).values()
  return {"errors": errors}


def setting(config: Any, theirs: Any) -> str:
  """Names set, network, and overrides relative to the paper's config."""
  papers, dataset = (
    (imagenet, "imagenet2012") if "image_size" in theirs else (cifar, "cifar10")
  )
  paper = papers.get_config(f"dataset={dataset},model={theirs.model.name}")
  attacks = configs.get_config("dataset=cifar10")
  # Its other fields are of the networks; epsilon is named beside this.
  own = (
    *("iterations", "pgd_steps", "restarts", "num_images"),
    *("inference_samples", "inference_lam", "inference_pool"),
  )
  words = protocol.overrides(config, {name: attacks[name] for name in own})
  return ", ".join([subjects.setting(theirs, paper), *words])


def rows(config: Any, theirs: Any, values: Values) -> list[results.Row]:
  """Makes the rows at the epsilon of the config, and without an attack."""
  at, nothing = map(config.epsilons.index, (config.epsilon, 0))
  made = []
  for index, error in enumerate(ERRORS):
    for (method, attack), errors in values.items():
      box, _, name = attack.removesuffix(DEFENDED).partition(", ")
      clean = "no attack" + DEFENDED * attack.endswith(DEFENDED)
      shown = {clean: nothing} if (box, name) == ("white box", "FGSM") else {}
      shown[attack] = at
      made += [
        results.summarize(
          errors[:, where, index],
          setting=f"{setting(config, theirs)}, epsilon {config.epsilon:g}",
          method=method,
          metric=f"{error}, {name}",
          epochs=theirs.epochs,
        )
        for name, where in shown.items()
      ]
  return made


def curves(
  config: Any, theirs: Any, values: Values
) -> list[results.Robustness]:
  """Returns the top-1 error over epsilon, of each method and attack."""
  return [
    results.Robustness(
      setting=setting(config, theirs),
      method=method.label,
      key=method.key,
      attack=attack,
      epsilon=list(config.epsilons),
      values=errors[..., 0].round(4).tolist(),
    )
    for (method, attack), errors in values.items()
  ]


def strip(config: Any, prepared: Prepared, states: States) -> results.Strip:
  """Shows images, and I-FGSM of them with the first network of each method."""
  images, labels = (part[: config.num_shown] for part in prepared.examples)
  shown = {"original": images.astype(np.float32)}
  for (method, seed), state in states.items():
    if seed == prepared.subjects.config.first_seed:
      shown[f"I-FGSM on {method.label}"] = robustness.adversarial_examples(
        prepared.program,
        state,
        (images, labels),
        attack=attacks(config)["I-FGSM"],
        epsilon=config.epsilon,
        seed=config.attack_seed,
      )
  return results.Strip(
    rows=list(shown),
    columns=len(labels),
    png=encoding.encode_png(encoding.tile_images(list(shown.values()))),
  )


def run(config: Any, prepared: Prepared, recorder: Recorder) -> results.Result:
  """Trains the networks or reads them, and attacks them."""
  theirs, seconds = prepared.subjects.config, 0.0
  states: States = {}
  for network in subjects.trained(config, prepared.subjects, recorder.workdir):
    states[network.method, network.seed] = network.state
    seconds += network.seconds
  values, more = measure(config, prepared, states, recorder.workdir)
  found, not_run = results.beside_paper(rows(config, theirs, values), PAPER)
  return {
    "rows": found,
    "not_run": not_run,
    "robustness": curves(config, theirs, values),
    "strip": strip(config, prepared, states),
    "wall_seconds": round(seconds + more, 2),
  }


if __name__ == "__main__":
  cli.launch("adversarial", prepare=prepare, run=run, config_file=CONFIG)
