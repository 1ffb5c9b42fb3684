"""The training of section 3.2, which other sections on small images share.

A config here is one of `configs/cifar.py`, or one that starts from it.
"""

from typing import Any, Iterable

import numpy as np

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import checks
from mixup_jax.recipes import protocol
from mixup_jax.recipes import ranges
from mixup_jax.recipes.assemble import assemble
from mixup_jax.recipes.assemble import decay_epochs
from mixup_jax.runtime import storage
from mixup_jax.train import backend
from mixup_jax.train import feeds
from mixup_jax.train import inputs
from mixup_jax.train import run
from mixup_jax.train import schedules
from mixup_jax.train.program import Program

# The paper does not state how it summed up the epochs in section 3.2; in
# section 3.8 it did so with the same networks.
MEDIAN = "test error (%), median of the last 10 epochs"


def load(config: Any) -> images.ImageSet:
  """Checks what no run could be started with, and loads the data.

  Args:
    config: The config.

  Returns:
    The set, with the first `config.num_train` training images if that is not 0,
    and without crops and flips if not `config.augment`.

  Raises:
    ValueError: For a value that is out of its range, with its name.
    FileNotFoundError: If the set has not been prepared.
  """
  check(config)
  data = images.load(config.dataset, config.data_dir or None)
  known = len(data.train_labels)
  if config.num_train > known:
    raise ValueError(
      f"config.num_train={config.num_train}, but {data.name} "
      f"has {known} training images: 0 takes all."
    )
  rows = slice(config.num_train or None)
  return data._replace(
    train_images=data.train_images[rows],
    train_labels=data.train_labels[rows],
    pad=data.pad if config.augment else 0,
    flip=data.flip and config.augment,
  )


def check(config: Any) -> None:
  """Raises ValueError for a size that no training in memory could have."""
  ranges.check(config)
  checks.at_least(config, batch_size=2)
  checks.shared_by_devices(config, "batch_size", "eval_batch_size")


def make_program(
  config: Any,
  data: images.ImageSet,
  method: results.Method,
  *,
  mix: Any = None,
  model: dict[str, Any] | None = None,
  optimizer: dict[str, Any] | None = None,
  mesh: sharding.Mesh | None = None,
) -> Program:
  """Makes the program of a method.

  Args:
    config: The config.
    data: The set.
    method: The method; `results.ERM` mixes nothing.
    mix: What else it draws, instead of `config.mix`.
    model: Fields of the model that override the config's.
    optimizer: Settings of the optimiser that override the config's.
    mesh: The data mesh, of all devices if it is None.

  Returns:
    The program.

  Raises:
    ValueError: If there is no such model, optimiser, size, transform or
      schedule.
    TypeError: If the model or the optimiser has no such field.
  """
  steps_per_epoch = -(-len(data.train_labels) // config.batch_size)
  rate = schedules.make_schedule(
    config.rate_schedule,
    config.learning_rate,
    epochs=config.epochs,
    steps_per_epoch=steps_per_epoch,
    decay_epochs=decay_epochs(config, steps_per_epoch, whole=True),
    decay_factor=config.decay_factor,
    warmup_epochs=config.warmup_epochs,
  )
  return assemble(
    config,
    inputs.resident(data),
    model={**config.model, **(model or {})},
    optimizer={**config.optimizer, **(optimizer or {})},
    num_classes=data.num_classes,
    rate=rate,
    mix=None if method.key == results.ERM.key else mix or config.mix,
    steps_per_epoch=steps_per_epoch,
    mesh=mesh,
  )


def train(
  config: Any,
  program: Program,
  data: images.ImageSet,
  *,
  seed: int,
  workdir: storage.Path,
  **options: Any,
) -> run.Lines:
  """Trains one network, or resumes from its latest checkpoint.

  Args:
    config: The config.
    program: The program.
    data: The set.
    seed: The seed of the run.
    workdir: Where checkpoints and metrics of this network are.
    **options: `measured` and `neighbors`, as in `feeds.Resident`.

  Returns:
    A line for each measured epoch, as of `run.train`.
  """
  feed = feeds.Resident(
    data,
    program.mesh,
    batch_size=config.batch_size,
    eval_batch_size=config.eval_batch_size,
    steps_per_dispatch=backend.steps_per_dispatch(config.steps_per_dispatch),
    **options,
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


def seeds(config: Any) -> range:
  """Returns the seeds of a config."""
  return range(config.first_seed, config.first_seed + config.seeds)


def setting(config: Any, paper: Any, *, named: Iterable[str] = ()) -> str:
  """Names the set, the network, and overrides relative to the paper's config.

  Args:
    config: The config.
    paper: That of the paper for the same network.
    named: Fields that the label names elsewhere.

  Returns:
    Words such as "cifar10, preact_resnet18 (width 8, epochs 10)".
  """
  sizes = protocol.SIZES if config.dataset == "digits" else ()
  name = f"{config.dataset}, {config.model.name}"
  return protocol.setting(name, config, paper, named={*named, *sizes})


def median_of_last(lines: run.Lines) -> float:
  """Returns `MEDIAN` of the lines of a run."""
  return float(np.median([line["test/error"] for line in lines[-10:]]))


def seconds(lines: run.Lines) -> float:
  """Returns how long a network took, in all processes that worked on it."""
  return sum(line["train/seconds"] + line["seconds"] for line in lines)
