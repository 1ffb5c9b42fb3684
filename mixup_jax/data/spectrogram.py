"""Spectrograms of spoken words, on the device."""

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array

RATE = 16_000  # Samples per second.
WINDOW, HOP = 320, 160  # 20 and 10 milliseconds.
FRAMES = 101  # Frames of one second, and of the result.
BINS = WINDOW // 2 + 1
# The periodic window, as is usual for spectra.
_HAMMING = np.float32(0.54) - np.float32(0.46) * np.cos(
  2 * np.pi * np.arange(WINDOW) / WINDOW
).astype(np.float32)


def log_spectrogram(waveforms: Array, *, bins: int = BINS) -> Array:
  """Returns normalised log-magnitude spectrograms.

      s = log(1 + |STFT(w)|)        (s - mean(s)) / std(s)

  Frames are 20 ms long, 10 ms apart and under a Hamming window. The first is
  centred on the first sample, around which the waveform is mirrored. Mean and
  standard deviation are those of the utterance, after it is padded with zeros
  or cut to 101 frames.

  Args:
    waveforms: `[batch, samples]` floats from -1 to 1, at 16 kHz.
    bins: The number of frequencies to keep, from the lowest, of 161.

  Returns:
    `[batch, bins, 101, 1]` float32 images, zeros for silence.

  Raises:
    ValueError: If there are fewer samples than a window has, or `bins` is not
      from 1 to 161.

  References:
    Zhang et al., ICLR 2018, section 3.3: "normalized spectrograms", of 160 x
    101. The window, the hop and the logarithm are those of the code that the
    paper credits for its baseline.
  """
  if waveforms.ndim != 2 or waveforms.shape[1] < WINDOW:
    raise ValueError(
      f"waveforms have the shape {waveforms.shape}, expected "
      f"[batch, samples] with at least {WINDOW} samples."
    )
  if not 1 <= bins <= BINS:
    raise ValueError(f"bins must be from 1 to {BINS}, got {bins}.")
  waveforms = waveforms.astype(jnp.float32)
  mirrored = jnp.pad(
    waveforms, ((0, 0), (WINDOW // 2, WINDOW // 2)), mode="reflect"
  )

  def of_frames(frames: Array) -> Array:
    return jnp.log1p(_magnitudes(frames)[..., :bins])

  # A CPU makes one transform on one core, and two independent ones at once.
  logs = jax.lax.platform_dependent(
    mirrored,
    cpu=lambda x: _interleave(
      of_frames(_every_other_frame(x, 0)), of_frames(_every_other_frame(x, 1))
    ),
    default=lambda x: of_frames(_frames(x)),
  )
  found = logs.shape[1]
  logs = jnp.pad(
    logs[:, :FRAMES], ((0, 0), (0, max(0, FRAMES - found)), (0, 0))
  )
  return _normalized(logs).swapaxes(1, 2)[..., None]


def _frames(waveforms: Array) -> Array:
  """Returns the frames `[batch, frames, 320]`."""
  count = 1 + (waveforms.shape[1] - WINDOW) // HOP
  # A window is two hops: no gather is needed.
  hops = waveforms[:, : (count + 1) * HOP].reshape(
    len(waveforms), count + 1, HOP
  )
  return jnp.concatenate([hops[:, :-1], hops[:, 1:]], axis=-1)


def _every_other_frame(waveforms: Array, first: int) -> Array:
  """Returns the frames 0, 2, ... or 1, 3, ..., a view: none overlap."""
  count = 1 + (waveforms.shape[1] - WINDOW) // HOP - first
  waveforms = waveforms[:, first * HOP :]
  frames = (count + 1) // 2
  return waveforms[:, : frames * WINDOW].reshape(len(waveforms), frames, WINDOW)


def _interleave(even: Array, odd: Array) -> Array:
  """Returns `[batch, frames, bins]` in the order of time."""
  batch, frames, bins = even.shape
  missing = frames - odd.shape[1]  # The last one, or none.
  odd = jnp.pad(odd, ((0, 0), (0, missing), (0, 0)))
  both = jnp.stack([even, odd], axis=2).reshape(batch, 2 * frames, bins)
  return both[:, : 2 * frames - missing]


def _magnitudes(frames: Array) -> Array:
  """Returns the magnitudes `[batch, frames, 161]` of frames, windowed."""
  parts = jnp.fft.rfft(frames * _HAMMING[None, None])
  # Faster than jnp.abs, which guards against overflow.
  power = jnp.square(parts.real) + jnp.square(parts.imag)
  # The square root has no gradient at 0: silence gets none, not NaN.
  has_sound = power > 0
  return jnp.where(has_sound, jnp.sqrt(jnp.where(has_sound, power, 1)), 0)


def _normalized(logs: Array) -> Array:
  """Scales each `[frames, bins]` to mean 0 and standard deviation 1."""
  logs = logs - logs.mean(axis=(1, 2), keepdims=True)
  var = jnp.var(logs, axis=(1, 2), keepdims=True, ddof=1)
  return logs / jnp.sqrt(jnp.where(var > 0, var, 1))
