"""Tests of the config of calibration: its networks are of section 3.2."""

import pytest

from configs import calibration
from configs import cifar


def test_get_config_has_the_networks_of_section_3_2():
  config = calibration.get_config("dataset=cifar10")
  section_32 = cifar.get_config("dataset=cifar10")
  for name in ("model", "optimizer", "epochs", "mix", "batch_size"):
    assert config[name] == section_32[name]
  assert 0 < config.held_out < 0.5 and config.seeds == 5
  assert calibration.get_config("smoke").seeds == 1
  with pytest.raises(ValueError, match="did you mean 'schedule'"):
    calibration.get_config("shedule=short")
