"""Puts model, optimiser, schedule and transform of a config together."""

from typing import Any, Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from mixup_jax import models
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.recipes import mixing
from mixup_jax.train import backend
from mixup_jax.train import optim
from mixup_jax.train import step as steps
from mixup_jax.train.inputs import Inputs
from mixup_jax.train.program import make_program
from mixup_jax.train.program import Program


def assemble(
  config: Any,
  inputs: Inputs,
  *,
  model: dict[str, Any],
  optimizer: dict[str, Any],
  num_classes: int,
  rate: optax.Schedule,
  mix: Any,
  steps_per_epoch: int,
  mesh: sharding.Mesh | None = None,
  wrap: Callable[[mixing.Transform], mixing.Transform] | None = None,
) -> Program:
  """Makes the program of one method of a section.

  Args:
    config: The config; of it batch size, epochs and precision count and, where
      it has them, partners, accumulation and the decay of an average.
    inputs: How inputs are made of a batch.
    model: The name of the model and its fields.
    optimizer: The name of the optimiser and its settings.
    num_classes: The number of classes.
    rate: The learning rate over the updates.
    mix: The field `mix` of a config, None for ERM.
    steps_per_epoch: The steps of an epoch.
    mesh: The data mesh, of all devices if it is None.
    wrap: Makes another transform of the transform.

  Returns:
    The program.

  Raises:
    ValueError: If there is no such model, optimiser or transform, the model
      cannot have such inputs, or the mesh does not suit the batch.
    TypeError: If the model or the optimiser has no such field.
  """
  mesh = mesh or sharding.make_mesh()
  accumulation = config.get("accumulation", 1)
  network = models.build(
    num_classes=num_classes,
    dtype=backend.compute_dtype(config.precision),
    **model,
  )
  transform, plain = None, {}
  if mix is not None:
    transform = mixing.transform(
      mix,
      num_classes=num_classes,
      batch_size=config.batch_size // accumulation,
      partners=config.get("partners", "global"),
      mesh=mesh,
    )
    check_transform(
      transform, network, inputs.example, config.batch_size // accumulation
    )
    transform = wrap(transform) if wrap else transform
    plain = mixing.plain_steps(mix, config.epochs, steps_per_epoch)
  tx = optim.build(learning_rate=rate, **optimizer)
  return make_program(
    network,
    optim.accumulated(tx, accumulation),
    inputs,
    mesh=mesh,
    transform=transform,
    learning_rate=lambda step: rate(step // accumulation),
    average_decay=config.get("average_decay", 0.0) or None,
    **plain,
  )


def decay_epochs(
  config: Any, steps_per_epoch: float, *, whole: bool = False
) -> list[float]:
  """Returns after which epochs the rate of a config drops.

  Args:
    config: The config; of it `decay_at`, shares of `epochs`.
    steps_per_epoch: The updates of an epoch.
    whole: Whether epochs are rounded to whole ones. In a run too short for
      that, where two would be one, or one would not lie inside the run, they
      are not.

  Returns:
    The epochs, rising, each a whole number of updates. All are inside the run,
    so that the first update has the rate of the config: drops that no update
    separates are one, and those that would come after the last are left out.

  Raises:
    ValueError: If the shares do not rise.
  """
  shares = tuple(config.decay_at)
  if shares != tuple(sorted(set(shares))):
    raise ValueError(
      f"config.decay_at={shares} are shares of the epochs that do not rise: "
      "put them in order, each once."
    )
  epochs = [share * config.epochs for share in shares]
  rounded = {round(epoch) for epoch in epochs} - {0, config.epochs}
  if whole and len(rounded) == len(shares):
    return sorted(map(float, rounded))
  steps = {round(epoch * steps_per_epoch) for epoch in epochs}
  steps -= {0, round(config.epochs * steps_per_epoch)}
  return [step / steps_per_epoch for step in sorted(steps)]


def check_transform(
  transform: mixing.Transform,
  network: nn.Module,
  example: jax.ShapeDtypeStruct,
  batch_size: int,
) -> None:
  """Traces a transform, so that what it refuses is reported before work.

  Args:
    transform: The transform.
    network: What its results are for.
    example: The shape of inputs of the network, of any number.
    batch_size: Their number in a step.

  Raises:
    ValueError: If the transform cannot have such a batch, or mixes at a depth
      that the network has not.
  """

  def targets(seed: Any, *batch: Any) -> Any:
    inputs, labels, where, enabled = batch
    key = jax.random.key(seed)
    mixed, targets = transform(
      key, inputs, labels, where=where, enabled=enabled
    )
    if isinstance(mixed, transforms.HiddenMix):
      depths: list[int] = []
      hook = steps.recorded(mixed.hook, depths)
      network.init(jax.random.clone(key), mixed.inputs, mix=hook)
      mixed.check_depths(depths)
    return targets

  shape = jax.ShapeDtypeStruct
  jax.eval_shape(
    targets,
    shape((), jnp.uint32),
    shape((batch_size, *example.shape[1:]), example.dtype),
    shape((batch_size,), jnp.int32),
    shape((batch_size,), jnp.bool),
    shape((), jnp.bool),
  )
