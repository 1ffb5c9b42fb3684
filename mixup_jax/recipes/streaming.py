"""The training of section 3.1, of which other sections take the networks.

A config here is one of `configs/imagenet.py`.
"""

from typing import Any

import flax.linen as nn
import optax

from mixup_jax import models
from mixup_jax import sharding
from mixup_jax.recipes import in_memory
from mixup_jax.train import backend
from mixup_jax.train import optim
from mixup_jax.train import streamed_feed as streaming

_LOWEST = {
  "seeds": 1,
  "first_seed": 0,
  "epochs": 1,
  "warmup_epochs": 0,
  "accumulation": 1,
  "eval_batch_size": 1,
  "image_size": 8,
  "workers": -1,
}


def check(config: Any) -> None:
  """Raises a ValueError for a value that is out of its range."""
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(
        f"config.{name} must be at least {low}, got {config[name]}."
      )
  size = sharding.make_mesh().size
  for name, parts in (
    ("batch_size", size * config.accumulation),
    ("eval_batch_size", size),
  ):
    if config[name] < parts or config[name] % parts:
      raise ValueError(
        f"config.{name}={config[name]} cannot be shared by {size} devices"
        f"{f' and {config.accumulation} steps' * (parts > size)}: use a "
        f"multiple of {parts}."
      )


def step_size(config: Any) -> int:
  """Returns the images of a step, on all devices together."""
  return config.batch_size // config.accumulation


def schedule(config: Any, steps_per_epoch: int) -> optax.Schedule:
  """Returns the learning rate over the updates; it grows with the batch."""
  peak = config.learning_rate * config.batch_size / 256

  def at(epochs: float) -> int:
    return round(epochs * steps_per_epoch / config.accumulation)

  return optim.step_decay(
    peak,
    steps=[at(share * config.epochs) for share in config.decay_at],
    factor=config.decay_factor,
    warmup_steps=at(config.warmup_epochs),
    warmup_from=min(config.warmup_from, peak),
  )


def make_model(config: Any, *, num_classes: int) -> nn.Module:
  """Returns the network of a config, without parameters."""
  sizes = config.model.to_dict()
  sizes["bn_group_size"] = sizes["bn_group_size"] or None
  return models.build(
    num_classes=num_classes,
    dtype=backend.compute_dtype(config.precision),
    **sizes,
  )


def make_program(
  config: Any,
  alpha: float,
  *,
  num_train: int,
  num_classes: int,
  mean: tuple[float, ...],
  std: tuple[float, ...],
  mesh: sharding.Mesh,
) -> streaming.Program:
  """Builds the program of one method.

  Args:
    config: The config.
    alpha: The alpha of the method, 0 for ERM.
    num_train: The number of training images.
    num_classes: The number of classes.
    mean: For each channel what normalisation subtracts, of pixels in [0, 1].
    std: For each channel what it divides by.
    mesh: The data mesh.

  Returns:
    The program.
  """
  model = make_model(config, num_classes=num_classes)
  rate = schedule(config, num_train // step_size(config))
  return streaming.make_program(
    model,
    optim.build(learning_rate=rate, **config.optimizer),
    image_size=config.image_size,
    mean=mean,
    std=std,
    mesh=mesh,
    transform=in_memory.mixing(config, alpha, mesh=mesh),
    learning_rate=rate,
    accumulation=config.accumulation,
  )
