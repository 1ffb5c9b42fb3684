"""The training of section 3.2, which other sections on small images share.

A config here is one of `configs/cifar.py`, or one that starts from it.
"""

import functools
import pathlib
from typing import Any

import numpy as np

from mixup_jax import models
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data.in_memory import images
from mixup_jax.train import backend
from mixup_jax.train import optim
from mixup_jax.train import program as programs
from mixup_jax.train import resident_feed as training
from mixup_jax.train import step as steps

# The paper does not say how it summed up the epochs in section 3.2; so it did
# with the same networks in section 3.8.
MEDIAN = "test error (%), median of the last 10 epochs"
_LOWEST = {
  "seeds": 1,
  "first_seed": 0,
  "epochs": 1,
  "batch_size": 2,
  "eval_batch_size": 1,
  "num_train": 0,
}


def load(config: Any) -> images.ImageSet:
  """Checks what no run could be started with, and loads the data.

  Args:
    config: The config.

  Returns:
    The set, with the first `config.num_train` training images if that is not 0,
    and without crops and mirror images if not `config.augment`.

  Raises:
    ValueError: For a value that is out of its range, with its name.
    FileNotFoundError: If the set has not been prepared.
  """
  if not 0 <= config.average_decay < 1:
    raise ValueError(
      "config.average_decay must be from 0 to 1, and below it, "
      f"got {config.average_decay}: 0 keeps no average."
    )
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(
        f"config.{name} must be at least {low}, got {config[name]}."
      )
  backend.steps_per_dispatch(config.steps_per_dispatch)
  size = sharding.make_mesh().size
  for name in ("batch_size", "eval_batch_size"):
    if config[name] % size:
      raise ValueError(
        f"config.{name}={config[name]} cannot be shared by "
        f"{size} devices: use a multiple of {size}."
      )
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


def make_program(
  config: Any,
  data: images.ImageSet,
  *,
  transform: steps.Transform | None = None,
  model: dict[str, Any] | None = None,
  optimizer: dict[str, Any] | None = None,
  mesh: sharding.Mesh | None = None,
  **options: Any,
) -> programs.Program:
  """Makes the program of a config.

  Args:
    config: The config.
    data: The set.
    transform: What is drawn instead of the examples, as `mixing` returns it.
    model: Fields of the model that differ from the config's.
    optimizer: Settings of the optimiser that differ from the config's.
    mesh: The data mesh, of all devices if it is None.
    **options: As in `program.make_program`.

  Returns:
    The program.

  Raises:
    ValueError: If there is no such model, optimiser, size or schedule.
    TypeError: If the model or the optimiser has no such field.
  """
  network = models.build(
    num_classes=data.num_classes,
    dtype=backend.compute_dtype(config.precision),
    **{**config.model, **(model or {})},
  )
  steps_per_epoch = -(-len(data.train_labels) // config.batch_size)
  drops = [
    round(share * config.epochs) * steps_per_epoch for share in config.decay_at
  ]
  rate = optim.step_decay(
    config.learning_rate, steps=drops, factor=config.decay_factor
  )
  settings = {**config.optimizer, **(optimizer or {}), "learning_rate": rate}
  return programs.make_program(
    network,
    optim.build(**settings),
    data,
    mesh=mesh or sharding.make_mesh(),
    transform=transform,
    learning_rate=rate,
    average_decay=config.average_decay or None,
    **options,
  )


def methods(config: Any) -> dict[str, float]:
  """Returns the alpha of each method of a config, 0 for ERM.

  Args:
    config: The config; of it `method` and `alpha` count.

  Returns:
    The alphas by name, such as "mixup, alpha 1".

  Raises:
    ValueError: If there is no such method.
  """
  mixup = {f"mixup, alpha {config.alpha:g}": config.alpha}
  known = {"erm": {"ERM": 0.0}, "mixup": mixup, "all": {"ERM": 0.0, **mixup}}
  if config.method not in known:
    raise ValueError(
      f"unknown method {config.method!r}: choose one of {', '.join(known)}."
    )
  return known[config.method]


def mixing(
  config: Any,
  alpha: float,
  *,
  mesh: sharding.Mesh | None = None,
  **options: Any,
) -> steps.Transform | None:
  """Returns mixup with the partners of a config.

  Args:
    config: The config; of it only `partners` counts.
    alpha: Concentration of lam ~ Beta(alpha, alpha).
    mesh: The data mesh, of all devices if it is None.
    **options: As in `transforms.sample_mix`.

  Returns:
    The transform, None for ERM if alpha is 0.

  Raises:
    TypeError: If alpha is not a number.
    ValueError: If alpha is negative, or there is no such policy.
  """
  transforms.check_alpha(alpha)
  if not alpha:
    return None
  mixup = functools.partial(transforms.mixup, alpha=alpha, **options)
  if config.partners == "global":
    return mixup  # Plain mixup is that, and stays off the padding.
  return sharding.with_partners(
    mixup, mesh or sharding.make_mesh(), policy=config.partners
  )


def train(
  config: Any,
  program: programs.Program,
  data: images.ImageSet,
  *,
  seed: int,
  workdir: pathlib.Path,
  **options: Any,
) -> training.Lines:
  """Trains one network as the config says, or goes on where it was stopped.

  Args:
    config: The config.
    program: The program.
    data: The set.
    seed: The seed of the run.
    workdir: Where checkpoints and metrics of this network are.
    **options: As in `training.train`.

  Returns:
    A line for each epoch, as `training.train`.
  """
  return training.train(
    program,
    data,
    seed=seed,
    epochs=config.epochs,
    batch_size=config.batch_size,
    eval_batch_size=config.eval_batch_size,
    steps_per_dispatch=config.steps_per_dispatch,
    workdir=workdir,
    config=config.to_dict(),
    **options,
  )


def seeds(config: Any) -> range:
  """Returns the seeds of a config."""
  return range(config.first_seed, config.first_seed + config.seeds)


def setting(config: Any, paper: Any) -> str:
  """Names the set and the network, and in what they are not the paper's.

  Args:
    config: The config.
    paper: That of the paper for the same network.

  Returns:
    Words such as "cifar10, preact_resnet18 (width 8, epochs 10)".
  """
  ours = config.to_dict()
  names = ("epochs", "batch_size", "learning_rate", "average_decay")
  differs = [
    f"{name} {value}"
    for name, value in ours["model"].items()
    if value != paper.model[name]
  ]
  if config.dataset != "digits":  # Of which the paper says nothing.
    differs += [
      f"{name.replace('_', ' ')} {ours[name]}"
      for name in names
      if ours[name] != paper[name]
    ]
  if not config.augment:
    differs += ["no augmentation"]
  if config.num_train:
    differs += [f"{config.num_train} training images"]
  name = f"{config.dataset}, {config.model.name}"
  return f"{name} ({', '.join(differs)})" if differs else name


def median_of_last(lines: training.Lines) -> float:
  """Returns `MEDIAN` of the lines of a run."""
  return float(np.median([line["test/error"] for line in lines[-10:]]))


def seconds(lines: training.Lines) -> float:
  """Returns how long a network took, in all processes that worked on it."""
  return sum(line["train/seconds"] + line["seconds"] for line in lines)
