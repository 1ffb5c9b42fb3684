"""Tests of spectrograms against scipy."""

import re

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from mixup_jax.data import spectrogram
from mixup_jax.data.sources.speech_commands import files


def reference(waveform):
  """Returns the spectrogram of scipy, `[161, 101]`."""
  window = scipy.signal.get_window("hamming", 320)
  _, _, parts = scipy.signal.stft(
    np.pad(waveform, 160, mode="reflect"),
    window=window,
    nperseg=320,
    noverlap=160,
    boundary=None,
    padded=False,
  )
  # scipy divides by the sum of the window.
  logs = np.log1p(np.abs(parts * window.sum()))[:, :101]
  logs = np.pad(logs, ((0, 0), (0, 101 - logs.shape[1])))
  return (logs - logs.mean()) / logs.std(ddof=1)


def waves(samples=16_000):
  rng = np.random.default_rng(0)
  time = np.arange(samples) / 16_000
  waves = [np.sin(2 * np.pi * hertz * time) for hertz in (440, 3000)]
  return (np.stack(waves) + 0.1 * rng.normal(size=(2, samples))) / 2


@pytest.mark.parametrize("samples", (16_000, 12_345, 17_000, 400))
def test_log_spectrogram_equals_scipy(samples):
  waveforms = waves(samples)
  found = jax.jit(spectrogram.log_spectrogram)(jnp.float32(waveforms))
  assert found.shape == (2, 161, 101, 1) and found.dtype == jnp.float32
  expected = np.stack([reference(w) for w in waveforms])
  np.testing.assert_allclose(found[..., 0], expected, atol=1e-4)


@pytest.mark.parametrize(
  "platform, shapes",
  [("cpu", ["2x51x161", "2x50x161"]), ("tpu", ["2x101x161"])],
)
def test_log_spectrogram_has_two_transforms_only_on_a_cpu(platform, shapes):
  """A CPU runs one transform on one core, and two at the same time."""
  traced = jax.jit(spectrogram.log_spectrogram).trace(jnp.zeros((2, 16_000)))
  text = traced.lower(lowering_platforms=(platform,)).as_text()
  found = re.findall(r"stablehlo.fft .*-> tensor<(.*?)xcomplex<f32>>", text)
  assert found == shapes


def test_log_spectrogram_of_real_clips_equals_scipy(raw_data):
  path = raw_data / "speech_commands"
  members = files.read(next(path.glob("*sample30.tar.xz")))
  clips = [files.parse(f)[0] for f in members if f.name.endswith(".wav")][:40]
  waveforms = np.stack(clips).astype(np.float32) / 2**15
  found = jax.jit(spectrogram.log_spectrogram)(waveforms)
  expected = np.stack([reference(w) for w in waveforms])
  np.testing.assert_allclose(found[..., 0], expected, atol=1e-4)


def test_log_spectrogram_has_mean_0_and_deviation_1():
  found = spectrogram.log_spectrogram(jnp.float32(waves()))
  np.testing.assert_allclose(found.mean((1, 2, 3)), 0, atol=1e-5)
  np.testing.assert_allclose(found.std((1, 2, 3), ddof=1), 1, rtol=1e-5)


def test_log_spectrogram_with_160_bins_drops_the_highest_frequency():
  whole = spectrogram.log_spectrogram(jnp.float32(waves()))
  papers = spectrogram.log_spectrogram(jnp.float32(waves()), bins=160)
  assert papers.shape == (2, 160, 101, 1)
  # Up to the normalisation, which is computed after the cut.
  ratio = np.polyfit(whole[0, :160].ravel(), papers[0].ravel(), 1)
  np.testing.assert_allclose(
    np.polyval(ratio, whole[0, :160]), papers[0], atol=1e-4
  )


def test_log_spectrogram_of_silence_is_zero():
  found = spectrogram.log_spectrogram(jnp.zeros((1, 16_000)))
  np.testing.assert_array_equal(found, 0)


def test_log_spectrogram_gradient_of_silence_is_zero():
  def total(waveforms):
    return jnp.square(spectrogram.log_spectrogram(waveforms)).sum()

  clips = jnp.float32(waves())
  # The second is silent in its first half, and the third throughout.
  clips = jnp.stack([clips[0], clips[1].at[:8000].set(0), clips[0] * 0])
  gradient = jax.grad(total)(clips)
  chex.assert_tree_all_finite(gradient)
  assert not gradient[2].any() and gradient[1, 9000:].any()


@pytest.mark.parametrize(
  "shape, bins, message",
  [
    ((16_000,), 161, r"shape \(16000,\), expected \[batch, samples\]"),
    ((1, 319), 161, r"\(1, 319\), .* at least 320 samples"),
    ((1, 16_000), 162, "bins must be from 1 to 161, got 162"),
  ],
)
def test_log_spectrogram_refuses_bad_shapes_and_bins(shape, bins, message):
  with pytest.raises(ValueError, match=message):
    spectrogram.log_spectrogram(jnp.zeros(shape), bins=bins)
