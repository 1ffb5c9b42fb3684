"""Section 3.2, Figure 3: ERM and mixup on CIFAR-10 and CIFAR-100.

    python -m experiments.cifar --config=configs/cifar.py:dataset=cifar10

Each network has a directory of its own below the working directory, with its
checkpoints and metrics; the same command with the same working directory goes
on where it was stopped.
"""

import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from configs import cifar as configs
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.cost_model import tpu
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import in_memory
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.train import program as programs
from mixup_jax.train import resident_feed as training

CONFIG = pathlib.Path(__file__).parent.parent / "configs" / "cifar.py"

METHODS = ("ERM", "mixup, alpha 1")
# Test error in per cent of these: Zhang et al., ICLR 2018, Figure 3a.
PAPER = {
  setting: dict(zip(METHODS, errors))
  for setting, errors in {
    "cifar10, preact_resnet18": (5.6, 4.2),
    "cifar10, wide_resnet28_10": (3.8, 2.7),
    "cifar10, densenet_bc_190_40": (3.7, 2.7),
    "cifar100, preact_resnet18": (25.6, 21.1),
    "cifar100, wide_resnet28_10": (19.4, 17.5),
    "cifar100, densenet_bc_190_40": (19.0, 16.8),
  }.items()
}
LAYOUT = results.Layout(
  lines="metric",
  columns="method",
  metrics=[
    in_memory.MEDIAN,
    "test error (%), last epoch",
    "training error (%), clean",
  ],
)


class Prepared(NamedTuple):
  """What a run needs, checked."""

  data: images.ImageSet
  programs: dict[str, programs.Program]  # By method.


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program for each method."""
  alphas = in_memory.methods(config)
  data = in_memory.load(config)

  def make(alpha: float) -> programs.Program:
    return in_memory.make_program(
      config, data, transform=in_memory.mixing(config, alpha)
    )

  return Prepared(data, {name: make(alpha) for name, alpha in alphas.items()})


def lower(config: Any, alpha: float, mesh: sharding.Mesh) -> jax.stages.Lowered:
  """Lowers a training step, for a rehearsal; the set need not be there."""
  data = images.outline(config.dataset)
  program = in_memory.make_program(
    config,
    data,
    transform=in_memory.mixing(config, alpha, mesh=mesh),
    mesh=mesh,
  )
  whole, rows = sharding.replicated(mesh), sharding.sharded(mesh)

  def shape(x: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=whole)

  return tpu.lower_step(
    program,
    {
      "images": shape(data.train_images),
      "labels": shape(data.train_labels),
      "rows": jax.ShapeDtypeStruct(
        (config.batch_size,), np.int32, sharding=rows
      ),
    },
  )


def setting(config: Any) -> str:
  """Names the set and the network, and in what they are not the paper's."""
  paper = configs.get_config(f"dataset=cifar10,model={config.model.name}")
  return in_memory.setting(config, paper)


def result_rows(
  config: Any, method: str, runs: list[training.Lines]
) -> list[results.Row]:
  """Makes the rows of one method from the epochs of every seed."""
  last = [run[-1] for run in runs]
  errors = [[line["test/error"] for line in run] for run in runs]
  values: dict[str, list[float]] = {
    in_memory.MEDIAN: [in_memory.median_of_last(run) for run in runs],
    "test error (%), best epoch": [min(run) for run in errors],
    "test error (%), last epoch": [run[-1] for run in errors],
    "test NLL (nats), last epoch": [line["test/nll"] for line in last],
    "test ECE (%), last epoch": [line["test/ece"] for line in last],
    "training error (%), weighted by lam": [
      line["train/error"] for line in last
    ],
    "training error (%), clean": [line["clean/error"] for line in last],
    "seconds a network": [in_memory.seconds(run) for run in runs],
  }
  name = setting(config)
  paper = PAPER.get(name, {})
  return [
    results.summarize(
      numbers,
      setting=name,
      method=method,
      metric=metric,
      paper=paper.get(method) if metric == in_memory.MEDIAN else None,
      epochs=config.epochs,
    )
    for metric, numbers in values.items()
  ]


def rows_not_run(rows: list[results.Row]) -> list[results.Row]:
  """Returns the paper's rows that are not among these."""
  done = {(row["setting"], row["method"]) for row in rows}
  return [
    results.summarize(
      [],
      setting=name,
      method=method,
      metric=in_memory.MEDIAN,
      paper=paper,
      epochs=200,
    )
    for name, errors in PAPER.items()
    for method, paper in errors.items()
    if (name, method) not in done
  ]


def curves(
  config: Any, method: str, runs: list[training.Lines]
) -> list[results.Curve]:
  """Returns the error over the epochs of every seed, as in Figure 3b."""
  return [
    results.Curve(
      setting=setting(config),
      method=method,
      key=method,
      metric=metric,
      epochs=list(range(1, config.epochs + 1)),
      values=[[round(line[key], 4) for line in run] for run in runs],
    )
    for metric, key in (
      ("test error (%)", "test/error"),
      ("training error (%)", "train/error"),
    )
  ]


def run(
  config: Any, prepared: Prepared, recorder: records.Recorder
) -> results.Result:
  """Trains every network, and returns rows and curves."""

  def train(method: str, seed: int) -> training.Lines:
    workdir = recorder.workdir / method.split(",")[0] / f"seed_{seed}"
    return in_memory.train(
      config,
      prepared.programs[method],
      prepared.data,
      seed=seed,
      workdir=workdir,
    )

  seeds = in_memory.seeds(config)
  trained = {
    method: [train(method, seed) for seed in seeds]
    for method in prepared.programs
  }
  rows = sum((result_rows(config, *item) for item in trained.items()), [])
  runs = [run for runs in trained.values() for run in runs]
  return {
    "rows": rows + rows_not_run(rows),
    "layout": LAYOUT,
    "curves": sum((curves(config, *item) for item in trained.items()), []),
    "wall_seconds": round(sum(map(in_memory.seconds, runs)), 2),
  }


if __name__ == "__main__":
  cli.launch("cifar", prepare=prepare, run=run, config_file=CONFIG, lower=lower)
