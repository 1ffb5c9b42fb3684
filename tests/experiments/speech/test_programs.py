"""Proves where waveforms become spectrograms, and when they are mixed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import speech as configs
from experiments.speech import __main__ as speech
from experiments.speech import programs
from mixup_jax import sharding
from mixup_jax.data import spectrogram
from mixup_jax.data.in_memory import audio
from mixup_jax.train import program


@pytest.fixture
def made(monkeypatch):
  """Returns what the program is made of, for a level and an alpha."""
  given = {}

  def make_program(model, tx, data, **options):
    del model, tx, data
    given.update(options)

  monkeypatch.setattr(program, "make_program", make_program)
  monkeypatch.setattr(
    sharding, "make_mesh", lambda: jax.make_mesh((1,), ("data",))
  )

  def make(level, alpha):
    programs.make_program(
      configs.get_config("smoke"),
      speech.as_images(audio.load("tones")),
      model="lenet",
      level=level,
      alpha=alpha,
    )
    return given

  return make


def batch():
  samples = jnp.asarray(audio.load("tones").train[0][:10])
  return {
    "images": samples,
    "labels": jnp.arange(10, dtype=jnp.int32),
    "rows": jnp.asarray([4, 1, 7, 2]),
  }


def features(waveforms):
  return spectrogram.log_spectrogram(waveforms, bins=160)


@pytest.mark.parametrize("level", configs.LEVELS)
def test_what_is_mixed(made, getkey, level):
  options = made(level, 0.2)
  prepare, plain = options["preparation"]
  inputs, labels = prepare(getkey(), batch())
  np.testing.assert_array_equal(labels, [4, 1, 7, 2])
  waveforms = batch()["images"][labels].astype(jnp.float32) / 2**15
  with_key = getkey()
  mixed, targets = options["transform"](with_key, inputs, labels)
  lam = targets.lam
  partner = np.searchsorted([1, 2, 4, 7], targets.partner_labels)
  partner = np.asarray([1, 3, 0, 2])[partner]
  if level == "spectrogram":
    single = features(waveforms)
    expected = lam * single + (1 - lam) * single[partner]
  else:
    expected = features(lam * waveforms + (1 - lam) * waveforms[partner])
  np.testing.assert_allclose(mixed, expected, atol=1e-3)
  np.testing.assert_allclose(
    plain(batch()["images"][labels]), features(waveforms), atol=1e-5
  )


@pytest.mark.parametrize("level", configs.LEVELS)
def test_erm_is_given_spectrograms(made, getkey, level):
  options = made(level, 0.0)
  inputs, _ = options["preparation"][0](getkey(), batch())
  assert options["transform"] is None and inputs.shape == (4, 160, 101, 1)
  assert options["num_plain_steps"] == 12  # The first of the epochs.


def test_an_unknown_level_is_refused(made):
  with pytest.raises(ValueError, match="unknown level 'wave': choose one of"):
    made("wave", 0.2)
