"""Labels name what is not the paper's, and can change a result."""

import ml_collections
import pytest

from configs import cifar
from configs import imagenet
from mixup_jax.recipes import protocol

PAPER = cifar.get_config("dataset=cifar10")


def config(**changes):
  values = cifar.get_config("dataset=cifar10")
  values.update(changes)
  return values


@pytest.mark.parametrize(
  "changes, words",
  [
    ({}, []),
    ({"optimizer": {"weight_decay": 5e-4}}, ["weight decay 0.0005"]),
    ({"optimizer": {"momentum": 0.0}}, ["momentum 0"]),
    ({"optimizer": {"name": "adam"}}, ["optimizer adam"]),
    ({"decay_at": (0.1,)}, ["decay at 0.1"]),
    ({"decay_at": (0.3, 0.6)}, ["decay at (0.3, 0.6)"]),
    ({"precision": "float32"}, ["precision float32"]),
    ({"partners": "roll"}, ["partners roll"]),
    (
      {"mix": {"per_example": True, "fold": True, "probability": 0.5}},
      ["fold True", "per example True", "probability 0.5"],
    ),
    ({"mix": {"plain_last_epochs": 3}}, ["plain last epochs 3"]),
    (
      {"num_train": 500, "augment": False, "epochs": 12, "model": {"width": 8}},
      ["width 8", "epochs 12", "no augmentation", "500 training images"],
    ),
  ],
)
def test_overrides_are_words(changes, words):
  assert protocol.overrides(config(**changes), PAPER) == words


def test_overrides_leave_out_what_changes_no_result_or_is_named_elsewhere():
  values = config(seeds=3, first_seed=5, data_dir="/data", method="erm")
  values.update(eval_batch_size=8, steps_per_dispatch=2, epochs=12)
  values.mix.update(name="manifold", alpha=0.4, layers=(1,))
  assert protocol.overrides(values, PAPER) == ["epochs 12"]
  assert protocol.overrides(values, PAPER, named=("epochs",)) == []


def test_overrides_compare_the_fields_of_one_section():
  ours = {"epsilon": 4.0, "model": {"name": "a", "stem": "small"}, "k": [1, 2]}
  paper = {"model": {"name": "a", "depth": 3}, "k": (1, 2), "rate": 0.1}
  assert protocol.overrides(ours, paper) == ["stem small"]


def test_setting_is_the_name_alone_or_with_overrides():
  paper = imagenet.get_config("dataset=imagenet2012")
  assert protocol.setting("a", paper, paper) == "a"
  values = imagenet.get_config("dataset=imagenet2012")
  values.accumulation = 4
  assert protocol.setting("a", values, paper) == "a (accumulation 4)"


def test_grid_has_a_config_for_each_combination():
  values = ml_collections.ConfigDict(
    {
      "rate": 0.1,
      "model": {"name": "a", "width": 8},
      "grid": {"rate": (0.5, 2.0), "model": {"width": (4, 8)}},
    }
  )
  made = protocol.grid(values)
  assert list(made) == ["4, 0.5", "4, 2", "8, 0.5", "8, 2"]
  assert (made["4, 2"].rate, made["4, 2"].model.width) == (2.0, 4)
  assert (values.rate, values.model.width) == (0.1, 8)


def test_grid_without_fields_is_the_config_alone():
  values = ml_collections.ConfigDict({"rate": 0.1, "grid": {}})
  ((where, one),) = protocol.grid(values).items()
  assert where == "" and one.rate == 0.1


def test_grid_refuses_a_field_without_values():
  values = ml_collections.ConfigDict({"rate": 0.1, "grid": {"rate": ()}})
  with pytest.raises(ValueError, match="config.grid.rate is empty"):
    protocol.grid(values)
