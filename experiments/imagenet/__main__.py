"""Section 3.1, Table 1: ERM and mixup on ImageNet-2012.

    python -m experiments.imagenet --workdir=DIR \
        --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50,epochs=90

Images stream from the disks of all hosts. Each network has a directory of its
own below the working directory; the same command with the same working
directory goes on where it was stopped, on as many hosts as there are then.
"""

import functools
import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.imagenet import table
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.cost_model import tpu
from mixup_jax.data.streaming import batches
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import streaming as streaming_recipe
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.train import run as runs
from mixup_jax.train import streamed_feed as streaming

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "imagenet.py"
IMAGENET = 1_281_167, 1_000  # Training images, and classes.


class Prepared(NamedTuple):
  """What a run needs, checked."""

  data: batches.StreamSet
  programs: dict[str, streaming.Program]  # By method.


def prepare(config: Any) -> Prepared:
  """Checks the config, opens the data, and builds a program for each method."""
  alphas = in_memory.methods(config)
  streaming_recipe.check(config)
  data = batches.load(config.dataset, config.data_dir or None)
  if streaming_recipe.step_size(config) > len(data.train):
    raise ValueError(
      f"config.batch_size={config.batch_size} is more than the "
      f"{len(data.train)} training images of {data.name}: "
      "lower it."
    )
  make = functools.partial(
    streaming_recipe.make_program,
    config,
    num_train=len(data.train),
    num_classes=data.num_classes,
    mean=data.mean,
    std=data.std,
    mesh=sharding.make_mesh(),
  )
  return Prepared(data, {name: make(alpha) for name, alpha in alphas.items()})


def lower(config: Any, alpha: float, mesh: sharding.Mesh) -> jax.stages.Lowered:
  """Lowers a training step, for a rehearsal; ImageNet need not be there."""
  num_train, num_classes = IMAGENET
  if config.dataset != "imagenet2012":
    data = batches.load(config.dataset, config.data_dir or None)
    num_train, num_classes = len(data.train), data.num_classes
  program = streaming_recipe.make_program(
    config,
    alpha,
    num_train=num_train,
    num_classes=num_classes,
    mean=(0.5,) * 3,  # The values do not matter.
    std=(0.25,) * 3,
    mesh=mesh,
  )
  size, rows = streaming_recipe.step_size(config), sharding.sharded(mesh)
  pixels = size, config.image_size, config.image_size, 3
  return tpu.lower_step(
    program,
    {
      "images": jax.ShapeDtypeStruct(pixels, np.uint8, sharding=rows),
      "labels": jax.ShapeDtypeStruct((size,), np.int32, sharding=rows),
    },
  )


def train(
  config: Any, prepared: Prepared, method: str, seed: int, workdir: pathlib.Path
) -> runs.Lines:
  """Trains one network, or goes on where it was stopped."""
  data, host = (
    prepared.data,
    {
      "image_size": config.image_size,
      "process_index": jax.process_index(),
      "num_processes": jax.process_count(),
      "workers": None if config.workers < 0 else config.workers,
      "max_bad_share": config.max_bad_share,
      "bad": {},  # One for all: no image is told of twice.
    },
  )
  return streaming.train(
    prepared.programs[method],
    seed=seed,
    epochs=config.epochs,
    steps_per_epoch=len(data.train) // streaming_recipe.step_size(config),
    train_batches=lambda first_step: batches.train_batches(
      data,
      seed=seed,
      first_step=first_step,
      batch_size=streaming_recipe.step_size(config),
      **host,
    ),
    eval_batches=lambda: batches.eval_batches(
      data, batch_size=config.eval_batch_size, **host
    ),
    workdir=workdir / method.split(",")[0] / f"seed_{seed}",
    config=config.to_dict(),
  )


def run(
  config: Any, prepared: Prepared, recorder: records.Recorder
) -> results.Result:
  """Trains every network, and returns rows and curves."""
  trained = {
    method: [
      train(config, prepared, method, seed, recorder.workdir)
      for seed in in_memory.seeds(config)
    ]
    for method in prepared.programs
  }
  rows = sum((table.result_rows(config, *item) for item in trained.items()), [])
  done = {(row["setting"], row["method"]) for row in rows}
  rows += [
    row
    for row in table.paper_rows()
    if (row["setting"], row["method"]) not in done
  ]
  return {
    "rows": rows,
    "layout": table.LAYOUT,
    "curves": sum(
      (table.curves(config, *item) for item in trained.items()), []
    ),
    "wall_seconds": round(
      sum(
        in_memory.seconds(lines)
        for every in trained.values()
        for lines in every
      ),
      2,
    ),
  }


if __name__ == "__main__":
  cli.launch(
    "imagenet", prepare=prepare, run=run, config_file=CONFIG, lower=lower
  )
