"""Section 3.2, Figure 3: ERM and mixup on CIFAR-10 and CIFAR-100.

    python -m experiments.cifar --config=configs/cifar.py:dataset=cifar10

Each network has a directory of its own below the working directory, with its
checkpoints and metrics; the same command with the same working directory
resumes from the latest checkpoint.
"""

import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from configs import cifar as configs
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.cost_model import estimate
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import mixing
from mixup_jax.recipes import summary
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.train import inputs
from mixup_jax.train.program import Program

CONFIG = pathlib.Path(configs.__file__)

# Test error in per cent, ERM and mixup: Zhang et al., ICLR 2018, Figure 3a.
FIGURE_3A = {
  "cifar10, preact_resnet18": (5.6, 4.2),
  "cifar10, wide_resnet28_10": (3.8, 2.7),
  "cifar10, densenet_bc_190_40": (3.7, 2.7),
  "cifar100, preact_resnet18": (25.6, 21.1),
  "cifar100, wide_resnet28_10": (19.4, 17.5),
  "cifar100, densenet_bc_190_40": (19.0, 16.8),
}
PAPER = [
  results.PaperNumber(setting, method, in_memory.MEDIAN, error)
  for setting, errors in FIGURE_3A.items()
  for method, error in zip(("ERM", "mixup, alpha 1"), errors)
]
METRICS = {
  in_memory.MEDIAN: in_memory.median_of_last,
  "test error (%), best epoch": lambda lines: min(
    line["test/error"] for line in lines
  ),
  "test error (%), last epoch": summary.last("test/error"),
  "test NLL (nats), last epoch": summary.last("test/nll"),
  "test ECE (%), last epoch": summary.last("test/ece"),
  "training error (%), weighted by lam": summary.last("train/error"),
  "training error (%), clean": summary.last("clean/error"),
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
# As in Figure 3b.
CURVES = {"test error (%)": "test/error", "training error (%)": "train/error"}


class Prepared(NamedTuple):
  """Validated inputs of `run`."""

  data: images.ImageSet
  programs: dict[results.Method, Program]


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program for each method."""
  methods = mixing.methods(config)
  data = in_memory.load(config)
  return Prepared(
    data,
    {
      method: in_memory.make_program(config, data, method) for method in methods
    },
  )


def run(config: Any, prepared: Prepared, recorder: Recorder) -> results.Result:
  """Trains every network, and returns rows and curves."""
  data, programs = prepared
  trained = {
    method: [
      in_memory.train(
        config,
        program,
        data,
        seed=seed,
        workdir=recorder.workdir / method.key / f"seed_{seed}",
      )
      for seed in in_memory.seeds(config)
    ]
    for method, program in programs.items()
  }
  paper = configs.get_config(f"dataset=cifar10,model={config.model.name}")
  setting = in_memory.setting(config, paper)
  table = summary.tabulate(
    ((setting, method, runs) for method, runs in trained.items()),
    metrics=METRICS,
    curve_keys=CURVES,
    paper=PAPER,
    epochs=config.epochs,
  )
  return {**table, "layout": LAYOUT}


def lower(
  config: Any, method: results.Method, mesh: sharding.Mesh
) -> jax.stages.Lowered:
  """Lowers a step for the cost estimate; the set need not be there."""
  data = images.outline(config.dataset)
  program = in_memory.make_program(config, data, method, mesh=mesh)
  whole, rows = sharding.replicated(mesh), sharding.sharded(mesh)

  def shape(x: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=whole)

  batch = {
    "images": shape(jax.eval_shape(inputs.flat, data.train_images)),
    "labels": shape(data.train_labels),
    "rows": jax.ShapeDtypeStruct((config.batch_size,), np.int32, sharding=rows),
  }
  return estimate.lower_step(program, batch)


if __name__ == "__main__":
  cli.launch(
    "cifar",
    prepare=prepare,
    run=run,
    config_file=CONFIG,
    lower=lower,
    of_networks=True,
  )
