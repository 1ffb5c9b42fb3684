"""Section 3.8, Table 5: what in mixup does it.

    python -m experiments.ablation --config=configs/ablation.py:dataset=cifar10

Each network has a directory of its own below the working directory; the same
command with the same working directory goes on where it was stopped. One that
diverges stops no other, and is named at the end.
"""

import functools
import pathlib
from typing import Any, NamedTuple

import numpy as np

from configs import ablation as configs
from experiments.ablation import methods
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import neighbors
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs
from mixup_jax.train import program as programs
from mixup_jax.train import resident_feed as training

CONFIG = pathlib.Path(configs.__file__)
PAPER = configs.get_config("dataset=cifar10")
LAYOUT = results.Layout(
  lines="method", columns="setting", metrics=[in_memory.MEDIAN]
)


class Prepared(NamedTuple):
  """What a run needs, checked."""

  data: images.ImageSet
  methods: dict[str, methods.Method]
  programs: dict[tuple[str, float], programs.Program]  # By row, weight decay.
  neighbors: dict[str, np.ndarray]  # By `Method.neighbors`.


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program for each network.

  If rows need the table of neighbours, it is found or read here.
  """
  chosen = methods.choose(config.rows, stages=len(config.model.blocks))
  transforms.check_alpha(config.alpha)
  data = in_memory.load(config)
  if not 0 < config.mixed_share <= 1:
    raise ValueError(
      "config.mixed_share must be more than 0 and at most 1, "
      f"got {config.mixed_share}."
    )
  made = {
    (name, decay): make_program(config, data, method, decay)
    for name, method in chosen.items()
    for decay in config.weight_decays
  }
  if not made:
    raise ValueError(
      "there is nothing to run: config.rows is "
      f"{tuple(config.rows)} and config.weight_decays "
      f"{tuple(config.weight_decays)}, name one of each."
    )
  tables = {
    kind: neighbors.find(
      data.train_images,
      k=config.k,
      labels=data.train_labels if kind == "same class" else None,
      cache=neighbors.directory(config.data_dir),
    )
    for kind in {method.neighbors for method in chosen.values()} - {""}
  }
  return Prepared(data, chosen, made, tables)


def make_program(
  config: Any,
  data: images.ImageSet,
  method: methods.Method,
  weight_decay: float,
) -> programs.Program:
  """Makes the program of a row at a weight decay."""
  options: dict[str, Any] = {}
  if method.make is not None:
    options["transform"] = method.make(config.alpha, data.num_classes)
  if method.layers:
    options["mix_hidden"] = functools.partial(
      transforms.manifold, alpha=config.alpha, layers=method.layers
    )
  if method.ends_early:
    # The last batch of an epoch is a step too, however small.
    steps = -(-len(data.train_labels) // config.batch_size)
    mixed = round(config.mixed_share * config.epochs)
    options["num_mixed_steps"] = mixed * steps
  return in_memory.make_program(
    config, data, optimizer={"weight_decay": weight_decay}, **options
  )


def decay_name(weight_decay: float) -> str:
  """Returns words such as "weight decay 1e-4"."""
  number = np.format_float_scientific(weight_decay, trim="-", exp_digits=1)
  return f"weight decay {number}"


def setting(config: Any, weight_decay: float) -> str:
  """Names the weight decay, and in what else the config is not the paper's."""
  where = in_memory.setting(config, PAPER)
  differs = [
    f"{name} {config[name]}"
    for name in ("alpha", "k")
    if config[name] != PAPER[name]
  ]
  name = decay_name(weight_decay)
  if not differs and where == in_memory.setting(PAPER, PAPER):
    return name
  return f"{name}: {', '.join([where, *differs])}"


def paper_rows() -> dict[tuple[str, str], results.Row]:
  """Returns the paper's rows by setting and method, none of them run."""
  return {
    (name, method.name): results.summarize(
      [],
      setting=name,
      method=method.name,
      metric=in_memory.MEDIAN,
      paper=error,
      epochs=PAPER.epochs,
    )
    for method in methods.METHODS.values()
    if method.paper
    for name, error in zip(map(decay_name, PAPER.weight_decays), method.paper)
  }


def result_rows(
  config: Any,
  method: methods.Method,
  weight_decay: float,
  runs: list[training.Lines],
) -> list[results.Row]:
  """Makes the rows of one method at one weight decay from its seeds."""
  name = setting(config, weight_decay)
  paper = paper_rows().get((name, method.name))
  summarize = functools.partial(
    results.summarize, setting=name, method=method.name, epochs=config.epochs
  )
  return [
    summarize(
      [in_memory.median_of_last(run) for run in runs],
      metric=in_memory.MEDIAN,
      paper=paper and paper["paper"],
    ),
    summarize(
      [in_memory.seconds(run) for run in runs],
      metric="seconds a network",
      paper=None,
    ),
  ]


def run(
  config: Any, prepared: Prepared, recorder: records.Recorder
) -> results.Result:
  """Trains every network, and returns the table."""

  def train(name: str, decay: float, seed: int, path: str) -> training.Lines:
    kind = prepared.methods[name].neighbors
    return in_memory.train(
      config,
      prepared.programs[name, decay],
      prepared.data,
      seed=seed,
      workdir=recorder.workdir / path,
      neighbors=prepared.neighbors.get(kind),
    )

  paths = {
    (*cell, seed): f"{cell[0]}/{decay_name(cell[1])}/seed_{seed}".replace(
      " ", "_"
    )
    for cell in prepared.programs
    for seed in in_memory.seeds(config)
  }
  done, failed = jobs.run(
    {
      path: functools.partial(train, *cell, path)
      for cell, path in paths.items()
    }
  )
  rows: list[results.Row] = []
  for name, decay in prepared.programs:
    runs = [
      done[path]
      for cell, path in paths.items()
      if cell[:2] == (name, decay) and path in done
    ]
    if runs:
      rows += result_rows(config, prepared.methods[name], decay, runs)
  ours = {(row["setting"], row["method"]) for row in rows}
  rows += [row for cell, row in paper_rows().items() if cell not in ours]
  return {
    "rows": rows,
    "layout": LAYOUT,
    "failed": failed,
    "wall_seconds": round(sum(map(in_memory.seconds, done.values())), 2),
  }


if __name__ == "__main__":
  cli.launch("ablation", prepare=prepare, run=run, config_file=CONFIG)
