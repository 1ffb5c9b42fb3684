"""The training of section 3.3: waveforms become spectrograms, and are mixed.

A config here is one of `configs/speech.py`. Waveforms lie in device memory; a
step makes spectrograms of them, before or after they are mixed.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import spectrogram
from mixup_jax.data.in_memory import audio
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import checks
from mixup_jax.recipes import mixing
from mixup_jax.recipes.assemble import assemble
from mixup_jax.results import encoding
from mixup_jax.train import schedules
from mixup_jax.train.inputs import Inputs
from mixup_jax.train.program import Program
from mixup_jax.train.step import Batch

Array = jax.Array

LEVELS = ("waveform", "spectrogram")
_LOW, _HIGH = -2.0, 4.0  # Of normalised spectrograms, in a picture.


def as_images(data: audio.ClipSet) -> images.ImageSet:
  """Returns clips under the names by which training knows examples."""
  return images.ImageSet(
    data.name,
    *data.train,
    *data.test,
    len(data.words),
    mean=(),
    std=(),
    pad=0,
    flip=False,
  )


def make_program(
  config: Any, data: images.ImageSet, *, model: str, level: str, mix: Any
) -> Program:
  """Builds the program of a network.

  Args:
    config: The config.
    data: The clips: waveforms, `[clips, samples]` int16, and ids of words.
    model: The name of the network; the config has its sizes under it.
    level: What is mixed, one of `LEVELS`.
    mix: The field `mix` of a config, None for ERM.

  Returns:
    The program.

  Raises:
    ValueError: If there is no such model, level or transform.
    TypeError: If the model has no such field, or hidden layers of waveforms
      would be mixed.
  """
  checks.choice("level", level, LEVELS)
  steps_per_epoch = -(-len(data.train_labels) // config.batch_size)
  drops = range(config.decay_every, config.epochs, config.decay_every)
  rate = schedules.step_decay(
    config.learning_rate,
    steps=[epoch * steps_per_epoch for epoch in drops],
    factor=config.decay_factor,
  )
  mixes_waveforms = mix is not None and level == "waveform"

  def wrap(transform: mixing.Transform) -> mixing.Transform:
    if not mixes_waveforms:
      return transform
    mixed = _before_features(config, transform)
    shape = config.batch_size, *data.train_images.shape[1:]
    jax.eval_shape(  # So that what it refuses is reported before work.
      lambda *batch: mixed(jax.random.key(0), *batch),
      jax.ShapeDtypeStruct(shape, jnp.float32),
      jax.ShapeDtypeStruct(shape[:1], jnp.int32),
    )
    return mixed

  return assemble(
    config,
    _inputs(config, data, mixes_waveforms=mixes_waveforms),
    model={"name": model, **config[model]},
    optimizer=config.optimizer.to_dict(),
    num_classes=data.num_classes,
    rate=rate,
    mix=mix,
    steps_per_epoch=steps_per_epoch,
    wrap=wrap,
  )


def mixed_spectrograms(
  config: Any, data: audio.ClipSet
) -> results.Spectrograms:
  """Mixes the first clips of two words half and half, at both levels.

  Args:
    config: The config.
    data: The clips.

  Returns:
    Four spectrograms, in steps of a deviation over 255.
  """
  samples, labels = data.train
  rows = [int(np.argmax(labels == word)) for word in (0, 1)]

  def all_four(samples: Array) -> Array:
    waveforms = _floats(samples)
    half = transforms.interpolate(
      waveforms[:1], waveforms[1:], jnp.float32(0.5)
    )
    single = _features(config, waveforms)
    mean = transforms.interpolate(single[:1], single[1:], jnp.float32(0.5))
    each = [single, _features(config, half), mean]
    return jnp.concatenate(each)[..., 0]

  whole = sharding.replicated(sharding.make_mesh())
  clips = sharding.put(samples[rows], whole)
  found = jax.device_get(jax.jit(all_four)(clips))
  titles = [f"“{data.words[word]}”" for word in (0, 1)]
  titles += ["mean of the waveforms", "mean of the spectrograms"]
  levels = np.rint(255 * np.clip((found - _LOW) / (_HIGH - _LOW), 0, 1))
  return results.Spectrograms(
    titles=titles,
    low=_LOW,
    high=_HIGH,
    seconds=samples.shape[1] / spectrogram.RATE,
    hertz=spectrogram.RATE / 2,
    png=encoding.encode_png(np.concatenate(levels.astype(np.uint8))),
  )


def _inputs(
  config: Any, data: images.ImageSet, *, mixes_waveforms: bool
) -> Inputs:
  """Returns how inputs are made of rows of clips, which are not augmented."""

  def prepare(key: Array, batch: Batch) -> tuple[Array, Array]:
    del key  # The paper augments no clips.
    return batch["images"][batch["rows"]], batch["labels"][batch["rows"]]

  def features(samples: Array) -> Array:
    return _features(config, _floats(samples))

  def fetch(batch: Batch) -> tuple[Array, Array]:
    samples, labels = prepare(None, batch)  # type: ignore[arg-type]
    return features(samples), labels

  example = jax.eval_shape(features, data.train_images[:1])
  normalize = _floats if mixes_waveforms else features
  return Inputs(example, prepare, normalize, fetch)


def _before_features(
  config: Any, transform: mixing.Transform
) -> mixing.Transform:
  """Returns a transform that mixes waveforms, and makes features of them."""

  def mix(
    key: Array,
    inputs: Array,
    targets: Array,
    /,
    *,
    where: Array | None = None,
    enabled: jax.typing.ArrayLike = True,
  ) -> tuple[Array, Any]:
    mixed, targets = transform(
      key, inputs, targets, where=where, enabled=enabled
    )
    if isinstance(mixed, transforms.HiddenMix):
      raise TypeError(
        "hidden layers are of spectrograms: use config.levels=('spectrogram',)."
      )
    return _features(config, mixed), targets

  return mix


def _features(config: Any, waveforms: Array) -> Array:
  """Returns `[batch, bins, frames, 1]` spectrograms of waveforms."""
  return spectrogram.log_spectrogram(waveforms, bins=config.bins)


def _floats(samples: Array) -> Array:
  """Returns int16 samples as floats from -1 to 1."""
  return samples.astype(jnp.float32) / 2**15
