"""Tests of the config of section 3.3."""

import pytest

from configs import speech


def test_get_config_has_the_settings_of_the_paper():
  config = speech.get_config("dataset=speech_commands_v0.01")
  assert (config.batch_size, config.epochs) == (100, 30)
  assert config.mix.name == "mixup" and config.mix.plain_first_epochs == 5
  assert (config.learning_rate, config.decay_every) == (3e-3, 10)
  assert config.decay_factor == 0.1 and config.alphas == (0.1, 0.2)
  assert config.optimizer.name == "adam" and config.bins == 160
  assert dict(config.lenet) == {"width": 20, "hidden": 1000, "dropout": 0.5}
  assert dict(config.vgg11) == {"width": 64, "hidden": 512}


def test_get_config_of_tones_is_short():
  config, smoke = speech.get_config(), speech.get_config("smoke")
  assert config.dataset == "tones" and config.models == speech.MODELS
  assert smoke.epochs < config.epochs < 30 and len(smoke.alphas) == 1
  assert smoke.models == ("lenet",)
  assert speech.get_config("smoke,model=all").models == speech.MODELS


def test_get_config_chooses_models_and_levels():
  config = speech.get_config("model=vgg11,level=waveform")
  assert (config.models, config.levels) == (("vgg11",), ("waveform",))
  for argument in ("model=vgg", "level=wave"):
    with pytest.raises(ValueError, match="choose one of"):
      speech.get_config(argument)
