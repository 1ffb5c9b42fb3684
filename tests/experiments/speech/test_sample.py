"""Proves that the picture shows two words and their means."""

import numpy as np

from configs import speech as configs
from experiments.speech import sample
from mixup_jax.data import spectrogram
from mixup_jax.data.in_memory import audio
from mixup_jax.results import encoding


def test_the_picture_holds_four_spectrograms():
  data = audio.load("tones")
  shown = sample.make(configs.get_config("smoke"), data)
  parts = np.split(encoding.decode_png(shown["png"]), 4)
  values = [
    shown["low"] + part / 255 * (shown["high"] - shown["low"]) for part in parts
  ]
  assert [part.shape for part in parts] == [(160, 101)] * 4
  assert shown["titles"][:2] == ["“low high”", "“high low”"]
  waveform = data.train[0][:1].astype(np.float32) / 2**15
  own = spectrogram.log_spectrogram(waveform, bins=160)[0, ..., 0]
  step = (shown["high"] - shown["low"]) / 255
  np.testing.assert_allclose(values[0], np.clip(own, -2, 4), atol=step)
  inside = (np.abs(values[0] - 1) < 2.9) & (np.abs(values[1] - 1) < 2.9)
  mean = (values[0] + values[1]) / 2
  np.testing.assert_allclose(values[3][inside], mean[inside], atol=2 * step)
  assert np.abs(values[2] - values[3]).max() > 0.5  # The levels differ.
