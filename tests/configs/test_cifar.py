"""Proves that the config says what the paper says."""

import pytest

from configs import cifar


@pytest.mark.parametrize("model", cifar.MODELS)
@pytest.mark.parametrize("dataset", cifar.DATASETS)
def test_the_settings_of_the_paper(dataset, model):
  config = cifar.get_config(f"dataset={dataset},model={model}")
  assert (config.batch_size, config.epochs, config.alpha) == (128, 200, 1)
  assert config.learning_rate == 0.1 and config.decay_factor == 0.1
  assert dict(config.optimizer) == {
    "name": "sgd",
    "momentum": 0.9,
    "nesterov": False,
    "weight_decay": 1e-4,
  }
  drops = [round(share * 200) for share in config.decay_at]
  wide = model == "wide_resnet28_10"
  assert drops == ([60, 120, 180] if wide else [100, 150])
  assert config.model.dropout == 0


def test_sizes_of_the_networks():
  sizes = {
    m: cifar.get_config(f"model={m},dataset=cifar10").model
    for m in cifar.MODELS
  }
  assert sizes["preact_resnet18"].width == 64
  assert sizes["preact_resnet18"].variant == "author"
  wide = sizes["wide_resnet28_10"]
  assert (wide.depth, wide.width) == (28, 10)
  dense = sizes["densenet_bc_190_40"]
  assert (dense.depth, dense.growth) == (190, 40)


def test_digits_are_trained_in_short():
  config = cifar.get_config()
  assert config.dataset == "digits" and config.model.width == 8
  assert cifar.get_config("smoke").epochs < config.epochs < 200


def test_a_short_schedule_has_the_shape_of_the_papers():
  short, paper = (
    cifar.get_config(f"dataset=cifar10,schedule={name}")
    for name in ("short", "paper")
  )
  assert short.epochs < paper.epochs
  assert short.decay_at == paper.decay_at
  with pytest.raises(ValueError, match="unknown schedule 'shrot'"):
    cifar.get_config("schedule=shrot")
