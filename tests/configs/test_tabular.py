"""Tests of the config of section 3.6."""

import json

from configs import tabular
from mixup_jax.data.in_memory import tables
from mixup_jax.recipes import ranges


def test_get_config_has_the_settings_of_the_paper():
  config = tabular.get_config()
  assert config.model.hidden == (128, 128)
  assert config.optimizer.to_dict() == {"name": "adam", "learning_rate": 1e-3}
  assert (config.batch_size, config.epochs) == (16, 10)
  assert config.seeds == 50 and config.datasets == ("iris",)


def test_get_config_with_arguments():
  assert tabular.get_config("smoke").seeds < 10
  assert tabular.get_config("smoke,seeds=10").seeds == 10
  assert tabular.get_config("dataset=htru2").datasets == ("htru2",)
  assert tabular.get_config("dataset=all").datasets == tabular.TABLES
  assert set(tabular.TABLES) < set(tables.TABLES) and len(tabular.TABLES) == 6
  assert tabular.get_config("scaling=standard").scaling == "standard"


def test_get_config_has_a_transform_and_a_list_of_alphas():
  config = tabular.get_config()
  assert config.mix.name == "mixup" and "alpha" not in config.mix
  assert len(config.alphas) == 4


def test_get_config_of_a_map_varies_what_the_paper_leaves_open():
  config = tabular.get_config("map")
  assert config.datasets == tabular.TABLES
  assert (config.seeds, config.epochs) == (12, 10)
  assert dict(ranges.leaves(config.grid)) == {
    "scaling": ("none", "min_max", "standard"),
    "train_fraction": (0.5, 0.67, 0.8, 0.9),
    "model.initializer": ("torch", "flax"),
  }
  assert not tabular.get_config().grid
  assert tabular.get_config("map,dataset=iris").datasets == ("iris",)
  assert tabular.get_config("map,smoke").datasets == ("iris",)


def test_get_config_values_survive_json():
  config = tabular.get_config("dataset=all").to_dict()
  assert json.loads(json.dumps(config))["seeds"] == 50
