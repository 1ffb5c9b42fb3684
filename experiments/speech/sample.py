"""Two clips, and their mean at both levels, to be looked at."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import spectrogram
from mixup_jax.data.in_memory import audio
from mixup_jax.results import encoding


def make(config: Any, data: audio.ClipSet) -> results.Spectrograms:
  """Mixes the first clips of two words half and half.

  Args:
    config: The config.
    data: The clips.

  Returns:
    Four spectrograms, in steps of a deviation over 255.
  """
  samples, labels = data.train
  rows = [int(np.argmax(labels == word)) for word in (0, 1)]

  def features(x: jax.Array) -> jax.Array:
    return spectrogram.log_spectrogram(x, bins=config.bins)

  def all_four(samples: jax.Array) -> jax.Array:
    waveforms = samples.astype(jnp.float32) / 2**15
    half = transforms.interpolate(
      waveforms[:1], waveforms[1:], jnp.float32(0.5)
    )
    single = features(waveforms)
    mean = transforms.interpolate(single[:1], single[1:], jnp.float32(0.5))
    return jnp.concatenate([single, features(half), mean])[..., 0]

  mesh = sharding.make_mesh()
  found = jax.device_get(
    jax.jit(all_four)(sharding.put(samples[rows], sharding.replicated(mesh)))
  )
  titles = [f"“{data.words[word]}”" for word in (0, 1)]
  titles += ["mean of the waveforms", "mean of the spectrograms"]
  low, high = -2.0, 4.0
  levels = np.rint(255 * np.clip((found - low) / (high - low), 0, 1))
  return results.Spectrograms(
    titles=titles,
    low=low,
    high=high,
    seconds=samples.shape[1] / spectrogram.RATE,
    hertz=spectrogram.RATE / 2,
    png=encoding.encode_png(np.concatenate(levels.astype(np.uint8))),
  )
