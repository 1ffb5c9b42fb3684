"""Tests of the config of section 3.2."""

import pytest

from configs import cifar
from configs import mixing
from mixup_jax import models
from mixup_jax.train import optim


@pytest.mark.parametrize("model", cifar.MODELS)
@pytest.mark.parametrize("dataset", cifar.DATASETS)
def test_get_config_returns_the_settings_of_the_paper(dataset, model):
  config = cifar.get_config(f"dataset={dataset},model={model}")
  assert (config.batch_size, config.epochs) == (128, 200)
  assert config.mix == mixing.get_mix(alpha=1.0) and config.method == "all"
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
  assert config.rate_schedule == "step" and config.warmup_epochs == 0
  assert config.model.dropout == 0


def test_get_config_returns_the_sizes_of_the_networks():
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


def test_get_config_trains_small_networks_on_digits():
  config = cifar.get_config()
  assert config.dataset == "digits" and config.model.width == 8
  assert cifar.get_config("smoke").epochs < config.epochs < 200


@pytest.mark.parametrize("dataset", ("digits", "cifar10", "svhn"))
def test_get_config_trains_a_transformer_with_adamw_and_a_cosine(dataset):
  config = cifar.get_config(f"dataset={dataset},model=vit_s4")
  assert config.optimizer.name == "adamw" and config.rate_schedule == "cosine"
  assert 0 < config.warmup_epochs < config.epochs
  model = models.build(num_classes=10, **config.model)
  published = models.build("vit_s4", num_classes=10)
  assert (model == published) == (dataset != "digits")
  optim.build(learning_rate=config.learning_rate, **config.optimizer)


def test_get_config_short_schedule_has_the_shape_of_the_papers():
  short, paper = (
    cifar.get_config(f"dataset=cifar10,schedule={name}")
    for name in ("short", "paper")
  )
  assert short.epochs < paper.epochs
  assert short.decay_at == paper.decay_at
  with pytest.raises(ValueError, match="unknown schedule 'shrot'"):
    cifar.get_config("schedule=shrot")
  with pytest.raises(ValueError, match="schedule=short is of CIFAR: digits"):
    cifar.get_config("schedule=short")
