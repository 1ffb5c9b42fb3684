"""Tests of mixing speech, as waveforms or as spectrograms."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import speech
from mixup_jax import sharding
from mixup_jax.data import spectrogram
from mixup_jax.data.in_memory import audio as audio_data
from mixup_jax.recipes import assemble
from mixup_jax.recipes import audio
from mixup_jax.recipes import mixing
from mixup_jax.results import encoding

TONES = audio_data.load("tones")


@pytest.fixture
def made(monkeypatch):
  """Returns what the program is made of, for a level and options of a mix."""
  given = {}

  def make_program(model, tx, inputs, **options):
    del tx
    given.update(options, model=model, inputs=inputs)

  one_device = sharding.make_mesh(jax.devices()[:1])
  monkeypatch.setattr(assemble, "make_program", make_program)
  monkeypatch.setattr(sharding, "make_mesh", lambda: one_device)

  def make(level, *, model="lenet", erm=False, **changes):
    config = speech.get_config("smoke")
    mix = mixing.changed(config.mix, alpha=0.2, **changes)
    audio.make_program(
      config,
      audio.as_images(TONES),
      model=model,
      level=level,
      mix=None if erm else mix,
    )
    return types.SimpleNamespace(**given)

  return make


def batch():
  samples = jnp.asarray(TONES.train[0][:10])
  return {
    "images": samples,
    "labels": jnp.arange(10, dtype=jnp.int32),
    "rows": jnp.asarray([4, 1, 7, 2]),
  }


def features(waveforms):
  return spectrogram.log_spectrogram(waveforms, bins=160)


@pytest.mark.parametrize("level", audio.LEVELS)
def test_make_program_mixes_waveforms_or_spectrograms_by_the_level(
  made, getkey, level
):
  options = made(level)
  _, prepare, normalize, fetch = options.inputs
  samples, labels = prepare(getkey(), batch())
  np.testing.assert_array_equal(labels, [4, 1, 7, 2])
  np.testing.assert_array_equal(samples, batch()["images"][labels])
  waveforms = samples.astype(jnp.float32) / 2**15
  mixed, targets = options.transform(getkey(), normalize(samples), labels)
  lam = targets.lam[0]
  assert 0 < lam < 1 and (targets.lam == lam).all()
  partner = np.searchsorted([1, 2, 4, 7], targets.partner_labels)
  partner = np.asarray([1, 3, 0, 2])[partner]
  if level == "spectrogram":
    single = features(waveforms)
    expected = lam * single + (1 - lam) * single[partner]
  else:
    expected = features(lam * waveforms + (1 - lam) * waveforms[partner])
  np.testing.assert_allclose(mixed, expected, atol=1e-3)
  plain, labels = fetch(batch())
  np.testing.assert_allclose(plain, features(waveforms), atol=1e-5)
  np.testing.assert_array_equal(labels, [4, 1, 7, 2])


@pytest.mark.parametrize("level", audio.LEVELS)
def test_make_program_transform_switches_off_and_keeps_padding_out(
  made, getkey, level
):
  options = made(level)
  _, prepare, normalize, fetch = options.inputs
  samples, labels = prepare(getkey(), batch())
  where = jnp.asarray([True, True, True, False])
  mixed, targets = options.transform(
    getkey(), normalize(samples), labels, where=where, enabled=jnp.bool(False)
  )
  np.testing.assert_allclose(mixed, fetch(batch())[0], atol=1e-5)
  np.testing.assert_array_equal(targets.lam, 1)
  _, targets = options.transform(
    getkey(), normalize(samples), labels, where=where
  )
  assert 2 not in targets.partner_labels[:3].tolist()


@pytest.mark.parametrize("level", audio.LEVELS)
def test_make_program_of_erm_has_spectrograms_and_no_transform(
  made, getkey, level
):
  options = made(level, erm=True)
  example, prepare, normalize, _ = options.inputs
  samples, _ = prepare(getkey(), batch())
  inputs = normalize(samples)
  assert options.transform is None and inputs.shape == (4, 160, 101, 1)
  assert (example.shape, example.dtype) == ((1, 160, 101, 1), inputs.dtype)
  assert not hasattr(options, "num_plain_steps")  # Nothing is switched.


def test_make_program_does_not_mix_plain_epochs(made):
  options = made("spectrogram")
  assert options.num_plain_steps == 12  # The first of the epochs.
  assert not hasattr(options, "num_mixed_steps")
  assert made("waveform", plain_last_epochs=1).num_mixed_steps == 36


@pytest.mark.parametrize("model", speech.MODELS)
def test_make_program_builds_the_network_with_the_sizes_of_its_name(
  made, model
):
  config, network = speech.get_config("smoke"), made("waveform", model=model)
  assert network.model.width == config[model].width
  assert network.model.num_classes == len(TONES.words)


def test_make_program_refuses_an_unknown_level(made):
  with pytest.raises(ValueError, match="unknown level 'wave': choose one of"):
    made("wave")


def test_make_program_refuses_to_mix_hidden_layers_of_waveforms(made):
  made("spectrogram", name="manifold")
  with pytest.raises(TypeError, match="use config.levels=..spectrogram"):
    made("waveform", name="manifold")


def test_as_images_names_clips_as_training_does():
  data = audio.as_images(TONES)
  np.testing.assert_array_equal(data.train_images, TONES.train[0])
  np.testing.assert_array_equal(data.train_labels, TONES.train[1])
  np.testing.assert_array_equal(data.test_images, TONES.test[0])
  np.testing.assert_array_equal(data.test_labels, TONES.test[1])
  assert data.num_classes == len(TONES.words)
  assert (data.name, data.pad, data.flip) == (TONES.name, 0, False)


def test_mixed_spectrograms_shows_two_clips_and_two_mixtures():
  shown = audio.mixed_spectrograms(speech.get_config("smoke"), TONES)
  parts = np.split(encoding.decode_png(shown["png"]), 4)
  values = [
    shown["low"] + part / 255 * (shown["high"] - shown["low"]) for part in parts
  ]
  assert [part.shape for part in parts] == [(160, 101)] * 4
  assert shown["titles"][:2] == ["“low high”", "“high low”"]
  waveform = TONES.train[0][:1].astype(np.float32) / 2**15
  own = features(waveform)[0, ..., 0]
  step = (shown["high"] - shown["low"]) / 255
  np.testing.assert_allclose(values[0], np.clip(own, -2, 4), atol=step)
  inside = (np.abs(values[0] - 1) < 2.9) & (np.abs(values[1] - 1) < 2.9)
  mean = (values[0] + values[1]) / 2
  np.testing.assert_allclose(values[3][inside], mean[inside], atol=2 * step)
  assert np.abs(values[2] - values[3]).max() > 0.5  # The levels differ.
