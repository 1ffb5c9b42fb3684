"""Tests of the config of section 3.5."""

import pytest

from configs import adversarial
from configs import cifar


def test_get_config_has_the_settings_of_the_paper():
  config = adversarial.get_config("dataset=cifar10")
  assert config.epsilon == 4 and config.iterations == 10
  assert {0.0, config.epsilon} <= set(config.epsilons)
  section_32 = cifar.get_config("dataset=cifar10")
  for name in ("model", "optimizer", "epochs", "mix", "batch_size"):
    assert config[name] == section_32[name]
  assert config.seeds >= 2  # A black box needs them.


def test_get_config_of_the_smoke_test_is_short():
  smoke, whole = map(adversarial.get_config, ("smoke", ""))
  assert smoke.pgd_steps < whole.pgd_steps == 50
  assert smoke.epochs < whole.epochs and smoke.seeds == 2
  with pytest.raises(ValueError, match="did you mean 'seeds'"):
    adversarial.get_config("seed=2")
