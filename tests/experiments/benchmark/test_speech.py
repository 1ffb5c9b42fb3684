"""Tests that both sides make the same spectrograms; never how fast."""

import jax
import numpy as np

from experiments.benchmark import speech
from mixup_jax.data import spectrogram
from mixup_jax.data.in_memory import audio


def test_with_scipy_equals_log_spectrogram():
  waveforms = audio.load("tones").train[0][:4].astype(np.float32) / 2**15
  found = jax.jit(spectrogram.log_spectrogram)(waveforms)[..., 0]
  np.testing.assert_allclose(found, speech.with_scipy(waveforms), atol=1e-4)


def test_table_has_both_sides():
  text, measured = speech.table(turns=1, rounds=2)
  assert "scipy, clip by clip" in text and "seconds of speech a second" in text
  assert len(measured) == 1 and len(measured[0].ratio) == 2
