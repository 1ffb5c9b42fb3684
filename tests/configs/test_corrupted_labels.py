"""Tests of the config of section 3.4: its cells are the paper's."""

import pytest

from configs import cifar
from configs import corrupted_labels
from experiments import corrupted_labels as section


def cells(argument):
  return corrupted_labels.get_config(argument).cells


def test_get_config_cells_are_those_of_table_2():
  config = corrupted_labels.get_config("dataset=cifar10")
  networks = [section.Network(*cell) for cell in config.cells]
  assert [
    (network.share, section.method(config, network).label)
    for network in networks
  ] == list(section.TABLE_2)
  assert len(cells("noise=50")) == 4
  assert cells("noise=80,method=mixup") == ((0.8, 32.0, 0.0),)


def test_get_config_grid_contains_the_table():
  """But for the 20 % row with a rate that is not on the paper's grid."""
  grid = cells("grid")
  assert len(grid) == 3 * (1 + 4 + 4 + 12) == len(set(grid))
  assert set(cells("")) - set(grid) == {(0.2, 4.0, 0.1)}
  assert len(cells("grid,noise=20,method=dropout")) == 4


def test_get_config_has_all_other_settings_of_section_3_2():
  config = corrupted_labels.get_config("dataset=cifar10")
  paper = cifar.get_config("dataset=cifar10")
  for name, value in paper.items():
    if name not in ("method", "mix", "model"):
      assert config[name] == value, name
  model = dict(paper.model)
  del model["dropout"]  # As alpha below.
  assert dict(config.model) == model
  mix = dict(paper.mix)
  del mix["alpha"]  # The cells have it, so that one would be ignored.
  assert dict(config.mix) == mix
  short = corrupted_labels.get_config("dataset=cifar10,schedule=short")
  assert short.epochs == cifar.SCHEDULES["short"]


@pytest.mark.parametrize(
  "argument, message",
  [
    ("noise=30", "unknown noise '30': choose one of 20, 50, 80, all"),
    ("method=cutmix", "unknown method 'cutmix': choose one of erm, dropout"),
    ("nois=20", "did you mean 'noise'"),
  ],
)
def test_get_config_refuses_unknown_values(argument, message):
  with pytest.raises(ValueError, match=message):
    corrupted_labels.get_config(argument)
