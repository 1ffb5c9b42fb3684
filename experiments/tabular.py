"""Section 3.6, Table 4: ERM and mixup on tables, all seeds in one program.

    python -m experiments.tabular --config=configs/tabular.py:dataset=all

All runs of a table, ERM (alpha = 0) and mixup alike, are one compiled program
(`mixup_jax.train.sweep`). For each seed the methods share split, weights and
order of the data, so their difference has a much smaller spread than either.
"""

import os
import pathlib
from typing import Any, Callable

import numpy as np
import tqdm

from mixup_jax import models
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data.in_memory import tables
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.train import optim
from mixup_jax.train import sweep

CONFIG = pathlib.Path(__file__).parent.parent / "configs" / "tabular.py"

# Test error in per cent, ERM and mixup: Zhang et al., ICLR 2018, Table 4. The
# paper does not say which of the two phishing sets of the UCI it means.
PAPER = {
  "abalone": (74.0, 73.6),
  "arcene": (57.6, 48.0),
  "arrhythmia": (56.6, 46.3),
  "htru2": (2.0, 2.0),
  "iris": (21.3, 17.3),
  "phishing_websites": (16.3, 15.2),
  "website_phishing": (16.3, 15.2),
}
LAYOUT = results.Layout(
  lines="setting",
  columns="method",
  metrics=["test error (%)", results.DIFFERENCE],
)


def methods(config: Any) -> list[str]:
  """Returns the names of the methods, in the order of `train`."""
  return ["ERM", *(f"mixup, alpha {alpha:g}" for alpha in config.alphas)]


def result_rows(
  config: Any, name: str, problem: sweep.Problem, error: np.ndarray
) -> list[results.Row]:
  """Makes the rows of one table from `[seeds, methods]` test errors."""

  def row(
    method: str, metric: str, paper: float | None, values: np.ndarray
  ) -> results.Row:
    return results.summarize(
      values,
      setting=name,
      method=method,
      metric=metric,
      paper=paper,
      epochs=config.epochs,
    )

  guess = np.bincount(problem.labels).argmax()
  majority = 100 * np.mean(problem.labels[problem.splits.test_rows] != guess, 1)
  rows = [row("majority class", "test error (%)", None, majority)]
  for index, method in enumerate(methods(config)):
    paper = PAPER[name][min(index, 1)]
    rows.append(row(method, "test error (%)", paper, error[:, index]))
  for index, method in enumerate(methods(config)[1:], start=1):
    difference = error[:, index] - error[:, 0]
    rows.append(row(method, results.DIFFERENCE, None, difference))
  return rows


def prepare(config: Any) -> dict[str, sweep.Problem]:
  """Checks the config, and loads and splits every table."""
  for alpha in config.alphas:
    transforms.check_alpha(alpha)
  for name, low in (
    ("seeds", 1),
    ("batch_size", 2),
    ("epochs", 1),
    ("seeds_per_device", 1),
    ("first_seed", 0),
  ):
    if config[name] < low:
      raise ValueError(
        f"config.{name} must be at least {low}, got {config[name]}."
      )
  if not config.datasets:
    raise ValueError("config.datasets is empty: name a table such as 'iris'.")
  problems = {}
  for name in config.datasets:
    table = tables.encode(
      tables.load(name, config.data_dir or None),
      categorical=config.categorical,
      missing=config.missing,
    )
    problems[name] = sweep.split_problem(
      table,
      num_seeds=config.seeds,
      first_seed=config.first_seed,
      train_fraction=config.train_fraction,
      scaling=config.scaling,
    )
    make_program(config, problems[name])  # Names a wrong model or optimiser.
  return problems


def make_program(
  config: Any, problem: sweep.Problem
) -> Callable[..., sweep.Curves]:
  """Builds the program that trains on a table."""
  run_one = sweep.make_run(
    models.build(num_classes=problem.num_classes, **config.model),
    optim.build(**config.optimizer),
    batch_size=config.batch_size,
    epochs=config.epochs,
  )
  return sweep.make_program(run_one, sharding.make_mesh())


def run(
  config: Any, problems: dict[str, sweep.Problem], recorder: records.Recorder
) -> results.Result:
  """Trains on every table, and returns the rows of the result."""
  rows: list[results.Row] = []
  seeds = len(problems) * config.seeds
  with tqdm.tqdm(total=seeds, unit="seed", desc="tabular") as progress:
    for name, problem in problems.items():
      progress.set_postfix_str(name)
      curves = sweep.train(
        make_program(config, problem),
        problem,
        mesh=sharding.make_mesh(),
        alphas=(0.0, *config.alphas),
        first_seed=config.first_seed,
        seeds_per_device=config.seeds_per_device,
        on_group=progress.update,
      )
      if not np.isfinite(curves["loss"]).all():
        raise FloatingPointError(
          f"the loss on {name} is not finite: lower optimizer.learning_rate."
        )
      for epoch in range(config.epochs):
        recorder.metrics(
          epoch + 1,
          {
            f"{name}/{method}/loss": curves["loss"][:, index, epoch].mean()
            for index, method in enumerate(methods(config))
          },
        )
      recorder.metrics(
        config.epochs,
        {
          f"{name}/{method}/error": curves["error"][:, index].mean()
          for index, method in enumerate(methods(config))
        },
      )
      rows += result_rows(config, name, problem, curves["error"])
  return {"rows": rows, "layout": LAYOUT}


if __name__ == "__main__":
  cli.launch(
    "tabular",
    prepare=prepare,
    run=run,
    config_file=CONFIG,
    cpu_devices=os.cpu_count(),
  )
