"""The program of a network: waveforms become spectrograms, and are mixed."""

from typing import Any, Callable

import jax
import jax.numpy as jnp

from mixup_jax import models
from mixup_jax import sharding
from mixup_jax.data import spectrogram
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import in_memory
from mixup_jax.train import backend
from mixup_jax.train import optim
from mixup_jax.train import program as programs
from mixup_jax.train import step as steps

Array = jax.Array


def make_program(
  config: Any, data: images.ImageSet, *, model: str, level: str, alpha: float
) -> programs.Program:
  """Builds the program of a network.

  Args:
    config: The config.
    data: The clips: waveforms, `[clips, samples]` int16, and ids of words.
    model: The name of the network.
    level: What is mixed: "waveform" or "spectrogram".
    alpha: The alpha of mixup, 0 for ERM.

  Returns:
    The program.

  Raises:
    ValueError: If there is no such model or level, or alpha is negative.
    TypeError: If the model has no such field.
  """
  if level not in ("waveform", "spectrogram"):
    raise ValueError(
      f"unknown level {level!r}: choose one of waveform, spectrogram."
    )
  network = models.build(
    model,
    num_classes=data.num_classes,
    dtype=backend.compute_dtype(config.precision),
    **config[model],
  )
  steps_per_epoch = -(-len(data.train_labels) // config.batch_size)
  drops = range(config.decay_every, config.epochs, config.decay_every)
  rate = optim.step_decay(
    config.learning_rate,
    steps=[epoch * steps_per_epoch for epoch in drops],
    factor=config.decay_factor,
  )

  def features(x: Array) -> Array:
    return spectrogram.log_spectrogram(x, bins=config.bins)

  transform = in_memory.mixing(config, alpha)

  def prepare(key: Array, batch: steps.Batch) -> tuple[Array, Array]:
    del key  # The paper augments no clips.
    waveforms = _floats(batch["images"][batch["rows"]])
    return as_input(waveforms), batch["labels"][batch["rows"]]

  as_input = features
  if transform is not None and level == "waveform":
    as_input, transform = lambda x: x, _before(features, transform)

  return programs.make_program(
    network,
    optim.build(learning_rate=rate, **config.optimizer),
    data,
    mesh=sharding.make_mesh(),
    transform=transform,
    num_plain_steps=config.plain_epochs * steps_per_epoch,
    learning_rate=rate,
    preparation=(prepare, lambda samples: features(_floats(samples))),
  )


def _before(
  features: Callable[[Array], Array], transform: steps.Transform
) -> steps.Transform:
  """Returns a transform that mixes waveforms, and makes features of them."""

  def mix(
    key: Array, waveforms: Array, labels: Array, **options: Any
  ) -> tuple[Array, Any]:
    mixed, targets = transform(key, waveforms, labels, **options)
    return features(mixed), targets

  return mix


def _floats(samples: Array) -> Array:
  """Returns int16 samples as floats from -1 to 1."""
  return samples.astype(jnp.float32) / 2**15
