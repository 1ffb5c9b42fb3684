"""Can data be mixed without knowing them: the outputs of a trained VAE?

    python -m experiments.vae_mixing
    python -m experiments.vae_mixing --config=configs/vae_mixing.py:dataset=iris

A VAE is trained on the inputs of each split, and classifiers with ERM, with
mixup of inputs, of codes, of reconstructions and of hidden layers, all with the
same budget. A paired test compares each with mixup of inputs.
"""

import os
import pathlib
from typing import Any, Callable

import numpy as np
import tqdm

from experiments.vae_mixing import program
from experiments.vae_mixing import table
from mixup_jax import cli
from mixup_jax import optim
from mixup_jax import records
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax import sweep
from mixup_jax import transforms
from mixup_jax.data import images
from mixup_jax.data import tables

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "vae_mixing.py"
_LOWEST = {
    "seeds": 2,  # A paired test needs two.
    "first_seed": 0,
    "vae_steps": 1,
    "vae_batch_size": 1,
    "batch_size": 2,
    "epochs": 1,
    "seeds_per_device": 1
}


def prepare(config: Any) -> dict[str, sweep.Problem]:
  """Checks the config, and loads and splits every set."""
  for alpha in config.alphas:
    transforms.check_alpha(alpha)
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(f"config.{name} must be at least {low}, got "
                       f"{config[name]}.")
  for name in ("alphas", "datasets", "layers"):
    if not config[name]:
      raise ValueError(f"config.{name} is empty: give it one value or more.")
  problems = {}
  for name in config.datasets:
    problems[name] = sweep.split_problem(load(config, name),
                                         num_seeds=config.seeds,
                                         first_seed=config.first_seed,
                                         train_fraction=config.train_fraction,
                                         scaling=config.scaling)
    make_program(config, problems[name])  # Names a wrong model or optimiser.
  return problems


def load(config: Any, name: str) -> tables.Table:
  """Loads a table, or digits as one: all of them, a column a pixel."""
  if name == "digits":
    digits = images.load(name)
    pixels = np.concatenate([digits.train_images, digits.test_images])
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    return tables.Table(
        name,
        pixels.reshape(len(pixels), -1).astype(np.float32) / 255, labels,
        digits.num_classes, (0,) * pixels[0].size)
  return tables.encode(tables.load(name, config.data_dir or None),
                       categorical=config.categorical,
                       missing=config.missing)


def make_program(config: Any, problem: sweep.Problem) -> Callable[..., Any]:
  """Builds the program that trains on a set."""
  run_one = program.make_run(config,
                             num_features=problem.features.shape[1],
                             num_classes=problem.num_classes,
                             tx=optim.build(**config.optimizer))
  return sweep.make_program(run_one, sharding.make_mesh())


def run(config: Any, problems: dict[str, sweep.Problem],
        recorder: records.Recorder) -> results.Result:
  """Trains on every set, and returns the rows and pictures of the result."""
  result: Any = {"rows": [], "layout": table.LAYOUT}
  seeds = len(problems) * config.seeds
  with tqdm.tqdm(total=seeds, unit="seed", desc="vae_mixing") as progress:
    for name, problem in problems.items():
      progress.set_postfix_str(name)
      curves: Any = sweep.train(make_program(config, problem),
                                problem,
                                mesh=sharding.make_mesh(),
                                alphas=config.alphas,
                                first_seed=config.first_seed,
                                seeds_per_device=config.seeds_per_device,
                                on_group=progress.update)
      if not np.isfinite([curves["loss"], *curves["elbo"]]).all():
        raise FloatingPointError(f"a loss on {name} is not finite: lower "
                                 "config.optimizer.learning_rate or "
                                 "config.vae_learning_rate.")
      recorder.metrics(
          config.epochs, {
              f"{name}/{method}/error": error.mean()
              for method, error in curves["error"].items()
          })
      result["rows"] += table.rows(config, name, curves)
      if name == "digits":
        result["mixtures"] = table.strips(curves, (8, 8))
  return result


if __name__ == "__main__":
  cli.launch("vae_mixing",
             prepare=prepare,
             run=run,
             config_file=CONFIG,
             cpu_devices=os.cpu_count())
