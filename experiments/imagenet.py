"""Section 3.1, Table 1: ERM and mixup on ImageNet-2012.

    python -m experiments.imagenet --workdir=DIR \
        --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50,epochs=90

Images stream from the disks of all hosts. Each network has a directory of its
own below the working directory; the same command with the same working
directory resumes from the latest checkpoint, on any number of hosts.
"""

import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from configs import imagenet as configs
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.cost_model import estimate
from mixup_jax.data.streaming import batches
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import mixing
from mixup_jax.recipes import protocol
from mixup_jax.recipes import streaming
from mixup_jax.recipes import summary
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.train.program import Program

CONFIG = pathlib.Path(configs.__file__)
IMAGENET = 1_281_167, 1_000  # Training images, and classes.

TOP1 = "top-1 error (%), last epoch"
TOP5 = "top-5 error (%), last epoch"
# Network, epochs, method, top-1 and top-5 error in per cent: Zhang et al., ICLR
# 2018, Table 1. Those of ERM without a top-5 error, or of 100 epochs, it quotes
# from Goyal et al., 2017, and Xie et al., 2016.
TABLE_1: tuple[tuple[str, int, str, float, float | None], ...] = (
  ("resnet50", 90, "ERM", 23.5, None),
  ("resnet50", 90, "mixup, alpha 0.2", 23.3, 6.6),
  ("resnet101", 90, "ERM", 22.1, None),
  ("resnet101", 90, "mixup, alpha 0.2", 21.5, 5.6),
  ("resnext101_32x4d", 100, "ERM", 21.2, None),
  ("resnext101_32x4d", 90, "ERM", 21.2, 5.6),
  ("resnext101_32x4d", 90, "mixup, alpha 0.4", 20.7, 5.3),
  ("resnext101_64x4d", 100, "ERM", 20.4, 5.3),
  ("resnext101_64x4d", 90, "mixup, alpha 0.4", 19.8, 4.9),
  ("resnet50", 200, "ERM", 23.6, 7.0),
  ("resnet50", 200, "mixup, alpha 0.2", 22.1, 6.1),
  ("resnet101", 200, "ERM", 22.0, 6.1),
  ("resnet101", 200, "mixup, alpha 0.2", 20.8, 5.4),
  ("resnext101_32x4d", 200, "ERM", 21.3, 5.9),
  ("resnext101_32x4d", 200, "mixup, alpha 0.4", 20.1, 5.0),
)
PAPER = [
  results.PaperNumber(
    f"imagenet2012, {model}, {epochs} epochs", method, metric, error
  )
  for model, epochs, method, *errors in TABLE_1
  for metric, error in zip((TOP1, TOP5), errors)
  if error is not None
]
METRICS = {
  TOP1: summary.last("validation/error"),
  TOP5: summary.last("validation/top5_error"),
  "NLL (nats), last epoch": summary.last("validation/nll"),
  "ECE (%), last epoch": summary.last("validation/ece"),
  "training error (%), weighted by lam": summary.last("train/error"),
}
LAYOUT = results.Layout(lines="metric", columns="method", metrics=[TOP1, TOP5])
CURVES = {
  "top-1 error (%)": "validation/error",
  "training error (%)": "train/error",
}


class Prepared(NamedTuple):
  """Validated inputs of `run`."""

  data: batches.StreamSet
  programs: dict[results.Method, Program]


def prepare(config: Any) -> Prepared:
  """Checks the config, opens the data, and builds a program for each method."""
  methods = mixing.methods(config)
  streaming.check(config)
  data = batches.load(config.dataset, config.data_dir or None)
  if streaming.step_size(config) > len(data.train):
    raise ValueError(
      f"config.batch_size={config.batch_size} is more than the "
      f"{len(data.train)} training images of {data.name}: lower it."
    )
  programs = {
    method: streaming.make_program(
      config,
      method,
      num_train=len(data.train),
      num_classes=data.num_classes,
      mean=data.mean,
      std=data.std,
    )
    for method in methods
  }
  return Prepared(data, programs)


def setting(config: Any) -> str:
  """Names set and network, and overrides relative to the paper's config."""
  paper = configs.get_config(
    f"dataset=imagenet2012,model={config.model.name},epochs={config.epochs}"
  )
  name = f"{config.dataset}, {config.model.name}, {config.epochs} epochs"
  return protocol.setting(name, config, paper)


def run(config: Any, prepared: Prepared, recorder: Recorder) -> results.Result:
  """Trains every network, and returns rows and curves."""
  data, programs = prepared
  trained = {
    method: [
      streaming.train(
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
  table = summary.tabulate(
    ((setting(config), method, runs) for method, runs in trained.items()),
    metrics=METRICS,
    curve_keys=CURVES,
    paper=PAPER,
    epochs=config.epochs,
  )
  return {**table, "layout": LAYOUT}


def lower(
  config: Any, method: results.Method, mesh: sharding.Mesh
) -> jax.stages.Lowered:
  """Lowers a step for the cost estimate; ImageNet need not be there."""
  num_train, num_classes = IMAGENET
  if config.dataset != "imagenet2012":
    data = batches.load(config.dataset, config.data_dir or None)
    num_train, num_classes = len(data.train), data.num_classes
  program = streaming.make_program(
    config,
    method,
    num_train=num_train,
    num_classes=num_classes,
    mean=(0.5,) * 3,  # The values do not matter.
    std=(0.25,) * 3,
    mesh=mesh,
  )
  size, rows = streaming.step_size(config), sharding.sharded(mesh)
  pixels = size, config.image_size, config.image_size, 3
  batch = {
    "images": jax.ShapeDtypeStruct(pixels, np.uint8, sharding=rows),
    "labels": jax.ShapeDtypeStruct((size,), np.int32, sharding=rows),
  }
  return estimate.lower_step(program, batch)


if __name__ == "__main__":
  cli.launch(
    "imagenet",
    prepare=prepare,
    run=run,
    config_file=CONFIG,
    lower=lower,
    of_networks=True,
  )
