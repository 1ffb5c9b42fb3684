"""Proves that the config says what the paper says, and is small elsewhere."""

import pytest

from configs import ablation
from configs import cifar


def test_the_settings_of_the_paper():
  config = ablation.get_config("dataset=cifar10")
  assert config.weight_decays == (1e-4, 5e-4) and config.k == 200
  assert config.rows == ("all",)
  section_32 = cifar.get_config("dataset=cifar10")
  assert config.model == section_32.model
  for name in (
    "epochs",
    "batch_size",
    "alpha",
    "learning_rate",
    "decay_at",
    "decay_factor",
  ):
    assert config[name] == section_32[name]
  assert set(section_32.optimizer) - set(config.optimizer) == {"weight_decay"}


def test_digits_have_a_network_of_all_layers():
  config = ablation.get_config()
  assert len(config.model.blocks) == 4 and config.k < 100
  smoke = ablation.get_config("smoke")
  assert smoke.epochs < config.epochs and len(smoke.weight_decays) == 1
  assert smoke.rows == ablation.SMOKE_ROWS


def test_rows_are_chosen_from_the_shell():
  assert ablation.get_config("rows=erm").rows == ("erm",)
  config = ablation.get_config("smoke,rows=erm+mixup_ac_rp")
  assert config.rows == ("erm", "mixup_ac_rp")


@pytest.mark.parametrize(
  "argument, message",
  [
    ("dataset=cifar100", "unknown set 'cifar100' for the ablation"),
    ("schedule=shrot", "unknown schedule 'shrot'"),
    ("row=erm", "did you mean 'rows'"),
  ],
)
def test_what_there_is_not_is_refused(argument, message):
  with pytest.raises(ValueError, match=message):
    ablation.get_config(argument)
