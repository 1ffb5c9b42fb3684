"""Tests of the config of mixing codes of an autoencoder."""

import json

import pytest

from configs import vae_mixing
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import tables


def test_get_config_with_arguments():
  config = vae_mixing.get_config()
  assert config.datasets == ("digits",) and config.seeds == 20
  assert config.methods == ("all",) and config.train_fraction == 0.5
  small = vae_mixing.get_config("dataset=small_tables")
  assert small.datasets == vae_mixing.SMALL and small.epochs == config.epochs
  iris = vae_mixing.get_config("dataset=iris")
  assert iris.vae_epochs > config.vae_epochs and iris.epochs == config.epochs
  for name in ("large_tables", "htru2"):
    large = vae_mixing.get_config(f"dataset={name}")
    assert set(large.datasets) <= set(vae_mixing.LARGE)
    assert large.epochs < large.vae_epochs < config.epochs
  assert vae_mixing.get_config("method=erm+codes").methods == ("erm", "codes")
  smoke = vae_mixing.get_config("smoke")
  assert smoke.seeds == 2 and smoke.epochs < 10
  assert vae_mixing.get_config("smoke,seeds=5").seeds == 5
  with pytest.raises(ValueError, match="did you mean 'dataset'"):
    vae_mixing.get_config("datset=iris")


def test_get_config_knows_its_data_sets():
  assert set(vae_mixing.SMALL + vae_mixing.LARGE) < set(tables.TABLES)
  for name in ("digits", "cifar10"):
    assert name in images.IMAGE_SETS
    assert vae_mixing.get_config(f"dataset={name}").datasets == (name,)


def test_get_config_of_cifar_has_convolutions_and_the_official_split():
  config = vae_mixing.get_config("dataset=cifar10")
  assert config.vae.channels and config.model.name == "preact_resnet18"
  assert config.train_fraction == 0 and config.seeds_at_once == 1


def test_get_config_values_survive_json():
  config = vae_mixing.get_config("dataset=cifar10,smoke").to_dict()
  assert json.loads(json.dumps(config))["seeds"] == 2
