"""Tests of the config of section 3.1."""

import numpy as np
import pytest

from configs import imagenet
from configs import mixing
from mixup_jax import models


@pytest.mark.parametrize(
  "epochs, drops", [(90, [30, 60, 80]), (200, [60, 120, 180])]
)
@pytest.mark.parametrize("model, alpha", list(imagenet.ALPHAS.items()))
def test_get_config_has_the_settings_of_the_paper(model, alpha, epochs, drops):
  config = imagenet.get_config(
    f"dataset=imagenet2012,model={model},epochs={epochs}"
  )
  assert (config.batch_size, config.image_size) == (1024, 224)
  assert (config.epochs, config.method) == (epochs, "all")
  assert config.mix == mixing.get_mix(alpha=alpha)
  assert [round(share * epochs) for share in config.decay_at] == drops
  peak = config.learning_rate * config.batch_size / 256
  assert (config.warmup_from, peak, config.warmup_epochs) == (0.1, 0.4, 5)
  assert dict(config.optimizer) == {
    "name": "sgd",
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 1e-4,
    "decayed": "kernels",
  }
  assert dict(config.model) == {"name": model, "bn_group_size": 32}


@pytest.mark.parametrize("dataset", imagenet.DATASETS)
@pytest.mark.parametrize("model", ("vit_s16", "vgg11"))
def test_get_config_gives_bn_group_size_to_resnets_alone(model, dataset):
  config = imagenet.get_config(f"dataset={dataset},model={model}")
  assert "bn_group_size" not in config.model
  models.build(num_classes=10, **config.model)


def test_get_config_trains_a_transformer_with_adamw_and_a_cosine():
  """At a peak of 1e-3, which the batch does not change."""
  config = imagenet.get_config("dataset=imagenet2012,model=vit_s16")
  assert config.optimizer.name == "adamw" and config.rate_schedule == "cosine"
  np.testing.assert_allclose(
    config.learning_rate * config.batch_size / 256, 1e-3
  )
  small = imagenet.get_config("model=vit_s16")
  assert small.model.width < 384


def test_get_config_of_small_images_has_a_small_network():
  config = imagenet.get_config("dataset=tiny_imagenet")
  assert config.image_size == 64 and config.model.width < 64
  smoke = imagenet.get_config("smoke")
  assert smoke.dataset == "digits"
  assert smoke.epochs < imagenet.get_config().epochs < 90
