"""Tests of the config of Figures 1b and 2, which extends section 3.2's."""

from configs import cifar
from configs import in_between


def test_get_config_trains_networks_as_in_section_3_2():
  ours = in_between.get_config("dataset=cifar10").to_dict()
  theirs = cifar.get_config("dataset=cifar10").to_dict()
  del theirs["method"]
  assert theirs.items() <= ours.items()
  assert ours["num_lams"] == 21 and ours["epochs"] == 200


def test_get_config_has_the_rings_of_the_figure():
  rings = in_between.get_config().rings
  assert (rings.inner, rings.outer, rings.ratio) == (256, 102, 0.3)
  assert (rings.limit, rings.pixels, rings.alpha) == (1.2, 127, 1)


def test_get_config_with_arguments():
  assert in_between.get_config("part=rings").part == "rings"
  config = in_between.get_config("seeds=3")
  assert config.seeds == config.rings.seeds == 3
  config = in_between.get_config()
  assert (config.seeds, config.rings.seeds) == (1, 10)
  smoke = in_between.get_config("smoke")
  assert smoke.epochs < config.epochs and smoke.rings.steps < 1000
  short = in_between.get_config("dataset=cifar10,schedule=short")
  assert short.epochs == 20
