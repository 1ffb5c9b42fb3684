"""Every number of every config has a range, and is refused outside of it."""

import importlib
import math
import pathlib

import pytest

from configs import cifar
from configs import corrupted_labels
from configs import imagenet
from configs import tabular
from mixup_jax.recipes import ranges

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
ARGUMENTS = {
  "ablation": ("", "smoke", "dataset=cifar10"),
  "adversarial": ("", "smoke", "dataset=cifar10"),
  "calibration": ("", "smoke"),
  "cifar": ("smoke", "dataset=cifar10,schedule=short")
  + tuple(f"dataset=cifar10,model={x}" for x in (*cifar.MODELS, "vit_s4")),
  "corrupted_labels": ("", "smoke", "dataset=cifar10,grid"),
  "gan": ("", "smoke", "part=stability"),
  "imagenet": ("", "smoke", "dataset=tiny_imagenet", "model=vit_s16")
  + tuple(f"dataset=imagenet2012,model={x}" for x in imagenet.ALPHAS),
  "in_between": ("", "smoke"),
  "speech": ("", "smoke", "dataset=speech_commands_v0.01"),
  "tabular": ("", "dataset=all"),
  "vae_mixing": ("", "smoke", "dataset=cifar10", "dataset=large_tables"),
}


def test_arguments_are_of_all_configs():
  sections = {
    path.stem
    for path in CONFIGS.glob("*.py")
    if "def get_config" in path.read_text()
  }
  assert sections == set(ARGUMENTS)


@pytest.mark.parametrize("section", ARGUMENTS)
def test_check_accepts_the_configs_and_knows_their_numbers(section):
  module = importlib.import_module(f"configs.{section}")
  for argument in ARGUMENTS[section]:
    config = module.get_config(argument)
    ranges.check(config)
    for name, value in ranges.leaves(config):
      if list(ranges._numbers(value)):
        assert ranges.range_of(name), f"{name} has no range"


@pytest.mark.parametrize("section", ARGUMENTS)
@pytest.mark.parametrize("bad", (math.nan, -7))
def test_check_names_the_field_of_a_bad_number(section, bad):
  module = importlib.import_module(f"configs.{section}")
  for name, value in ranges.leaves(module.get_config(ARGUMENTS[section][0])):
    if not list(ranges._numbers(value)):
      continue
    given = (*value, bad) if isinstance(value, tuple) else bad
    parts = name.split(".")
    tree = given
    for part in reversed(parts):
      tree = {part: tree}
    with pytest.raises(
      ValueError, match=f"config.{name} must be .*, got {bad}"
    ):
      ranges.check(tree)


@pytest.mark.parametrize(
  "make, changes, message",
  [
    (tabular, {"epochs": 10**12}, "epochs must be at most 100000, got 1000000"),
    (cifar, {"learning_rate": -1.0}, "learning_rate must be above 0, got -1"),
    (
      cifar,
      {"learning_rate": math.inf},
      "learning_rate must be finite, got in",
    ),
    (cifar, {"model": {"width": 0}}, "config.model.width must be at least 1"),
    (
      cifar,
      {"model": {"dropout": 1.0}},
      "model.dropout must be below 1, got 1",
    ),
    (cifar, {"decay_at": (0.5, 1.0)}, "config.decay_at must be below 1, got 1"),
    (cifar, {"mix": {"epsilon": 2.0}}, "mix.epsilon must be at most 1, got 2"),
    (
      cifar,
      {"seeds": 2**31},
      "seeds must be at most 2147483647, got 2147483648",
    ),
    (imagenet, {"workers": -2}, "config.workers must be at least -1, got -2"),
    (
      cifar,
      {"first_seed": 2**32},
      "first_seed must be at most 4294967295, got 4294967296",
    ),
    (
      cifar,
      {"first_seed": 2**32 - 1, "seeds": 2},
      "config.first_seed=4294967295 and seeds=2 end at seed 4294967296",
    ),
    (
      corrupted_labels,
      {"cells": ((0.5, 1.0, 0.0), (0.5, math.nan, 0.0))},
      "config.cells must be at least 0, got nan",
    ),
  ],
)
def test_check_refuses_what_is_out_of_range(make, changes, message):
  config = make.get_config()
  config.update(changes)
  with pytest.raises(ValueError, match=message):
    ranges.check(config)


def test_check_accepts_the_ends():
  config = cifar.get_config()
  config.update(first_seed=2**32 - 2, seeds=2, epochs=100_000)
  config.mix.update(alpha=math.inf, probability=1.0, epsilon=0.0, sigma=0.0)
  ranges.check(config)


def test_check_asks_unknown_numbers_to_be_finite():
  ranges.check({"ours": -1e9, "text": "nan", "flag": True})
  with pytest.raises(ValueError, match="config.ours must be finite, got inf"):
    ranges.check({"ours": math.inf})
