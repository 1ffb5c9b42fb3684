"""Figures 1b and 2: ERM and mixup in between the training examples.

    python -m experiments.in_between
    python -m experiments.in_between --config=configs/in_between.py:part=rings

Part "rings" (Figure 1b) trains on two rings in the plane. Part "pairs" (Figure
2) measures networks of section 3.2 between pairs of training images.
"""

import functools
import pathlib
from typing import Any, Callable, NamedTuple, Sequence

import jax
import numpy as np
import tqdm

from configs import cifar
from configs import in_between as configs
from mixup_jax import models
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data import toy
from mixup_jax.evaluation import decision_surface
from mixup_jax.evaluation import in_between
from mixup_jax.recipes import checks
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import protocol
from mixup_jax.recipes import ranges
from mixup_jax.recipes import subjects
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs
from mixup_jax.runtime import storage
from mixup_jax.train import optim

CONFIG = pathlib.Path(configs.__file__)

AREA = "area of the window with 0.1 < p < 0.9 (%)"
# By method, misses in per cent and the norm of the gradient, for lam = 0, .05,
# ..., 1: read off the curves of Zhang et al., ICLR 2018, Figure 2. The paper
# states neither the network, nor, of the gradient, which label it is of and
# whether the loss is a mean over a batch.
FIGURE_2 = {
  "erm": (
    "1.268 1.196 1.602 2.238 3.550 5.582 8.274 11.258 14.222 15.790 16.516 "
    "15.632 13.858 11.310 8.112 5.582 3.454 2.212 1.572 1.308 1.266",
    ".0039 .0081 .0160 .0273 .0430 .0653 .0912 .1216 .1493 .1695 .1768 "
    ".1687 .1482 .1211 .0910 .0652 .0434 .0270 .0159 .0083 .0039",
  ),
  "mixup": (
    "0.710 0.730 0.924 1.226 1.824 2.676 3.664 4.572 5.296 5.942 6.040 "
    "5.878 5.556 4.500 3.636 2.634 1.860 1.242 0.898 0.754 0.674",
    ".0116 .0096 .0118 .0162 .0204 .0248 .0288 .0327 .0360 .0380 .0383 "
    ".0381 .0360 .0329 .0290 .0250 .0205 .0160 .0118 .0095 .0116",
  ),
}
SUMMARIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
  "lam 0.5": lambda values: values[..., values.shape[-1] // 2],
  "mean over lam": lambda values: values.mean(-1),
}


class Prepared(NamedTuple):
  """Validated inputs of `run`: of the parts to run."""

  clouds: list[decision_surface.Cloud]  # Of the rings, one a seed.
  subjects: subjects.Subjects | None  # Of the pairs.


def prepare(config: Any) -> Prepared:
  """Checks the config, draws the rings, and finds the networks of the pairs."""
  ranges.check(config)
  checks.choice("part", config.part, ("rings", "pairs", "all"))
  return Prepared(
    [] if config.part == "pairs" else draw_rings(config.rings),
    None if config.part == "rings" else find_networks(config),
  )


def draw_rings(config: Any) -> list[decision_surface.Cloud]:
  """Checks the config of the rings, and draws a cloud for each seed."""
  checks.at_least(config, prefix="config.rings", pixels=2)
  shape = {name: config[name] for name in ("inner", "outer", "ratio", "noise")}
  return [toy.sample_rings(seed, **shape) for seed in range(config.seeds)]


def find_networks(config: Any) -> subjects.Subjects:
  """Checks the config of the pairs, and finds their networks."""
  if config.num_lams < 3 or config.num_lams % 2 == 0:
    raise ValueError(
      "config.num_lams must be odd and at least 3, so that lam = 0.5 is one of "
      f"them, got {config.num_lams}."
    )
  found = subjects.find(config)
  known = len(found.data.train_labels)
  if not 0 <= config.num_pairs <= known:
    raise ValueError(
      f"config.num_pairs={config.num_pairs}, but {found.data.name} has {known} "
      "training images: 0 pairs all."
    )
  return found


def run_rings(
  config: Any, clouds: list[decision_surface.Cloud]
) -> results.Result:
  """Trains both methods on every cloud; shows the surfaces of the first."""
  mixup = results.Method(
    "mixup", f"mixup, alpha {config.alpha:g}", config.alpha
  )
  methods = results.ERM, mixup
  program = decision_surface.make_program(
    models.build("mlp", num_classes=2, hidden=config.hidden),
    optim.build("adam", learning_rate=config.learning_rate),
    num_steps=config.steps,
    limit=config.limit,
    pixels=config.pixels,
  )
  alphas = [method.alpha for method in methods]
  surfaces, losses = decision_surface.learn(program, alphas, clouds)
  usual = configs.get_config().rings
  setting = protocol.setting("two rings", config, usual, named=("alpha",))
  if not np.isfinite(losses).all():
    raise FloatingPointError(
      "the loss on the rings is not finite: lower config.rings.learning_rate."
    )
  first = dict(zip((method.label for method in methods), surfaces[:, 0]))
  return {
    "rows": [
      results.summarize(
        values, setting=setting, method=method, metric=AREA, epochs=config.steps
      )
      for method, values in zip(
        methods, decision_surface.uncertain_area(surfaces)
      )
    ],
    "plane": decision_surface.as_plane(clouds[0], first, limit=config.limit),
  }


def run_pairs(
  config: Any, found: subjects.Subjects, workdir: storage.Path
) -> results.Result:
  """Trains the networks or reads them, and measures them between pairs."""
  mesh, seconds = sharding.make_mesh(), 0.0
  measure = in_between.make_measure(found.model, found.data, mesh)
  examples = found.data.train_images, found.data.train_labels
  lams = np.linspace(0, 1, config.num_lams)
  values: dict[results.Method, list[np.ndarray]] = {}

  def measured(network: subjects.Network) -> dict[str, Any]:
    pairs = in_between.draw_pairs(
      network.seed,
      len(examples[1]),
      count=config.num_pairs or len(examples[1]),
      batch_size=config.eval_batch_size,
    )
    shown = tqdm.tqdm(lams, unit="lam", disable=jax.process_index() > 0)
    state = network.state
    curves = in_between.curves(measure, state, examples, pairs, mesh, shown)
    return {"curves": curves.tolist()}

  for network in subjects.trained(config, found, workdir):
    each = jobs.kept(
      workdir / "pairs" / f"{network.method.key}_seed_{network.seed}.json",
      functools.partial(measured, network),
    )
    curves = np.asarray(each["curves"], float)
    values.setdefault(network.method, []).append(curves)
    seconds += network.seconds + each["seconds"]
  stacked = {method: np.stack(each) for method, each in values.items()}
  paper = configs.get_config()
  apart = protocol.overrides(
    config, {name: paper[name] for name in ("num_pairs", "num_lams")}
  )
  made = rows_and_curves(found.config, lams, stacked, apart)
  return {**made, "wall_seconds": seconds}


def paper_curve(key: str, index: int) -> list[float]:
  """Returns a curve of Figure 2; that of a method it does not have is empty."""
  return (
    [float(x) for x in FIGURE_2[key][index].split()] if key in FIGURE_2 else []
  )


def paper_numbers(setting: str) -> list[results.PaperNumber]:
  """Returns the numbers of Figure 2, of whichever network of section 3.2."""
  is_papers = setting in [f"cifar10, {model}" for model in cifar.MODELS]
  return [
    results.PaperNumber(
      setting if is_papers else "cifar10",
      method,
      f"{metric}, {name}",
      round(float(summary(np.array(paper_curve(key, index)))), 4),
    )
    for key, method in (("erm", "ERM"), ("mixup", "mixup, alpha 1"))
    for index, metric in enumerate(in_between.METRICS)
    for name, summary in SUMMARIES.items()
  ]


def rows_and_curves(
  config: Any,
  lams: np.ndarray,
  values: dict[results.Method, np.ndarray],
  apart: Sequence[str] = (),
) -> results.Result:
  """Makes rows and curves of `[seeds, metrics, lams]`, beside the paper's.

  Args:
    config: That the networks were trained with.
    lams: The weights of the first of a pair.
    values: By method.
    apart: What else the label names: overrides of how they were measured.

  Returns:
    The result.
  """
  paper = cifar.get_config(f"dataset=cifar10,model={config.model.name}")
  setting = ", ".join([in_memory.setting(config, paper), *apart])
  rows, curves = [], []
  for method, ours in values.items():
    for index, metric in enumerate(in_between.METRICS):
      rows += [
        results.summarize(
          summary(ours[:, index]),
          setting=setting,
          method=method,
          metric=f"{metric}, {name}",
          epochs=config.epochs,
        )
        for name, summary in SUMMARIES.items()
      ]
      curves.append(
        results.Pairs(
          setting=setting,
          method=method.label,
          key=method.key,
          metric=metric,
          lam=lams.round(4).tolist(),
          values=ours[:, index].round(4).tolist(),
          paper=paper_curve(method.key, index),
        )
      )
  rows, not_run = results.beside_paper(rows, paper_numbers(setting))
  return {"rows": rows, "not_run": not_run, "pairs": curves}


def run(config: Any, prepared: Prepared, recorder: Recorder) -> results.Result:
  """Runs the parts, and joins their results."""
  parts: list[Any] = []
  if prepared.clouds:
    rings = jobs.kept(
      recorder.workdir / "rings.json",
      functools.partial(run_rings, config.rings, prepared.clouds),
    )
    rings["wall_seconds"] = rings.pop("seconds")
    parts.append(rings)
  if prepared.subjects:
    parts.append(run_pairs(config, prepared.subjects, recorder.workdir))
  joined: Any = {name: value for part in parts for name, value in part.items()}
  joined["rows"] = [row for part in parts for row in part["rows"]]
  joined["wall_seconds"] = round(sum(part["wall_seconds"] for part in parts), 2)
  return joined


if __name__ == "__main__":
  cli.launch("in_between", prepare=prepare, run=run, config_file=CONFIG)
