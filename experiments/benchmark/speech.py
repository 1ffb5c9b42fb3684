"""Spectrograms of seconds of speech: ours, and scipy's."""

import statistics
from typing import Any

import jax
import numpy as np
import scipy.signal

from experiments.benchmark import timing
from mixup_jax.data import spectrogram
from mixup_jax.data.in_memory import audio
from mixup_jax.results import Method

_CLIPS = 100  # A batch of the paper; each is a second.


def table(**options: Any) -> tuple[str, list[timing.Measured]]:
  """Makes the spectrograms of a batch both ways; returns a table, and times."""
  waveforms = audio.load("tones").train[0][:_CLIPS].astype(np.float32) / 2**15
  on_device = jax.device_put(waveforms)
  ours = jax.jit(spectrogram.log_spectrogram)
  case = timing.Case(
    f"spectrograms of {_CLIPS} clips of 1 s",
    lambda: ours(on_device),
    Method("scipy", "scipy, clip by clip"),
    lambda: with_scipy(waveforms),
    0.2,
  )
  measured = timing.measure([case], **options)
  rates = (
    1e3 * _CLIPS / statistics.mean(side)
    for side in (measured[0].ours, measured[0].other)
  )
  text = (
    f"{timing.table(measured)}\n\nseconds of speech a second: "
    "{:,.0f} ours, {:,.0f} scipy's".format(*rates)
  )
  return text, measured


def with_scipy(waveforms: np.ndarray) -> np.ndarray:
  """Returns `[clips, 161, 101]` spectrograms, as those of the package."""
  window = scipy.signal.get_window("hamming", spectrogram.WINDOW)
  found = []
  for waveform in waveforms:
    _, _, parts = scipy.signal.stft(
      np.pad(waveform, spectrogram.HOP, mode="reflect"),
      window=window,
      nperseg=spectrogram.WINDOW,
      noverlap=spectrogram.HOP,
      boundary=None,
      padded=False,
    )
    # scipy divides by the sum of the window.
    logs = np.log1p(np.abs(parts * window.sum()))[:, : spectrogram.FRAMES]
    found.append((logs - logs.mean()) / logs.std(ddof=1))
  return np.stack(found)
