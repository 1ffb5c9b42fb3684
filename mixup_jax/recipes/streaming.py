"""The training of section 3.1, of which other sections take the networks.

A config here is one of `configs/imagenet.py`.
"""

import functools
from typing import Any

import optax

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data.streaming import batches
from mixup_jax.recipes import checks
from mixup_jax.recipes import ranges
from mixup_jax.recipes.assemble import assemble
from mixup_jax.recipes.assemble import decay_epochs
from mixup_jax.runtime import storage
from mixup_jax.train import feeds
from mixup_jax.train import inputs
from mixup_jax.train import run
from mixup_jax.train import schedules
from mixup_jax.train.program import Program


def check(config: Any) -> None:
  """Raises a ValueError for a value that is out of its range."""
  ranges.check(config)
  checks.at_least(config, image_size=8)
  checks.shared_by_devices(
    config, "batch_size", accumulation=config.accumulation
  )
  checks.shared_by_devices(config, "eval_batch_size")
  group = config.model.get("bn_group_size", 0)
  if group and step_size(config) % group:
    raise ValueError(
      f"config.model.bn_group_size={group} does not divide the "
      f"{step_size(config)} images of a step: use a divisor, or 0 for all."
    )


def step_size(config: Any) -> int:
  """Returns the images of a step, on all devices together."""
  return config.batch_size // config.accumulation


def schedule(config: Any, steps_per_epoch: int) -> optax.Schedule:
  """Returns the learning rate over the updates; it grows with the batch."""
  peak = config.learning_rate * config.batch_size / 256
  updates = steps_per_epoch / config.accumulation
  return schedules.make_schedule(
    config.rate_schedule,
    peak,
    epochs=config.epochs,
    steps_per_epoch=updates,
    decay_epochs=decay_epochs(config, updates),
    decay_factor=config.decay_factor,
    warmup_epochs=config.warmup_epochs,
    warmup_from=min(config.warmup_from, peak),
  )


def make_program(
  config: Any,
  method: results.Method,
  *,
  num_train: int,
  num_classes: int,
  mean: tuple[float, ...],
  std: tuple[float, ...],
  mesh: sharding.Mesh | None = None,
) -> Program:
  """Builds the program of one method.

  Args:
    config: The config.
    method: The method; `results.ERM` mixes nothing.
    num_train: The number of training images.
    num_classes: The number of classes.
    mean: For each channel what normalisation subtracts, of pixels in [0, 1].
    std: For each channel what it divides by.
    mesh: The data mesh, over all devices if it is None.

  Returns:
    The program.

  Raises:
    ValueError: As `assemble` does, or if the run ends before its first update.
  """
  steps_per_epoch = num_train // step_size(config)
  steps = config.epochs * steps_per_epoch
  if steps < config.accumulation:
    raise ValueError(
      f"config.epochs={config.epochs} are {steps} steps, and one update takes "
      f"config.accumulation={config.accumulation}: lower it, or train longer."
    )
  return assemble(
    config,
    inputs.streamed(config.image_size, mean=mean, std=std),
    model=config.model.to_dict(),
    optimizer=config.optimizer.to_dict(),
    num_classes=num_classes,
    rate=schedule(config, steps_per_epoch),
    mix=None if method.key == results.ERM.key else config.mix,
    steps_per_epoch=steps_per_epoch,
    mesh=mesh,
  )


def train(
  config: Any,
  program: Program,
  data: batches.StreamSet,
  *,
  seed: int,
  workdir: storage.Path,
) -> run.Lines:
  """Trains one network, or resumes from its latest checkpoint.

  Args:
    config: The config.
    program: The program.
    data: The set.
    seed: The seed of the run.
    workdir: Where checkpoints and metrics of this network are.

  Returns:
    A line for each measured epoch, as of `run.train`.
  """
  host: dict[str, Any] = {
    "image_size": config.image_size,
    "workers": None if config.workers < 0 else config.workers,
    "max_bad_share": config.max_bad_share,
    "bad": {},  # One for all: no image is reported twice.
  }
  feed = feeds.Streamed(
    program.mesh,
    steps_per_epoch=len(data.train) // step_size(config),
    batch_size=step_size(config),
    train=lambda seed, first_step: batches.train_batches(
      data,
      seed=seed,
      first_step=first_step,
      batch_size=step_size(config),
      rows=sharding.local_rows(program.mesh, step_size(config)),
      **host,
    ),
    evaluate=functools.partial(
      batches.eval_batches,
      data,
      batch_size=config.eval_batch_size,
      rows=sharding.local_rows(program.mesh, config.eval_batch_size),
      **host,
    ),
  )
  return run.train(
    program,
    feed,
    seed=seed,
    epochs=config.epochs,
    eval_every=config.eval_every,
    save_every=config.save_every,
    workdir=workdir,
    config=config.to_dict(),
  )
