"""Tests of the options of a mix, and of the argument `method`."""

import sys

from absl import flags
import ml_collections
from ml_collections import config_flags
import pytest

from configs import cifar
from configs import imagenet
from configs import mixing

SECTIONS = pytest.mark.parametrize("section", (cifar, imagenet))


def test_get_mix_is_mixup_of_a_batch_in_every_epoch():
  mix = mixing.get_mix(alpha=0.4)
  assert (mix.name, mix.alpha) == ("mixup", 0.4)
  assert not mix.per_example and not mix.fold and mix.probability == 1
  assert (mix.plain_first_epochs, mix.plain_last_epochs) == (0, 0)
  assert mixing.get_mix(0.4, "cutmix").name == "cutmix"


@pytest.mark.parametrize(
  "argument, method, name",
  [
    ("erm", "erm", "mixup"),
    ("all", "all", "mixup"),
    ("mixup", "mix", "mixup"),
    ("cutmix", "mix", "cutmix"),
  ],
)
def test_choose_sets_methods_and_the_transform(argument, method, name):
  config = ml_collections.ConfigDict({"mix": mixing.get_mix(1.0)})
  mixing.choose(config, argument)
  assert (config.method, config.mix.name) == (method, name)


@SECTIONS
def test_get_config_method_may_name_a_transform(section):
  config = section.get_config("method=label_smoothing")
  assert (config.method, config.mix.name) == ("mix", "label_smoothing")
  same = section.get_config()
  mixing.choose(same, "label_smoothing")
  assert config == same  # In nothing else.


@SECTIONS
def test_get_mix_options_can_be_overridden_by_flags(section, monkeypatch):
  options = ("name=manifold", "layers=(3,)", "alpha=2", "per_example=True")
  argv = ["section", *(f"--config.mix.{option}" for option in options)]
  monkeypatch.setattr(sys, "argv", argv)
  values, path = flags.FlagValues(), section.__file__
  config_flags.DEFINE_config_file("config", path, flag_values=values)
  values(argv)
  mix = values.config.mix
  assert (mix.name, mix.layers, mix.alpha) == ("manifold", (3,), 2.0)
  assert isinstance(mix.alpha, float) and mix.per_example is True
