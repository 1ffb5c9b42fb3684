"""Tests of the facts about the UCI tables."""

from mixup_jax.data.in_memory import tables
from mixup_jax.data.sources.uci import spec

CONFIGS = {config.name: config for config in spec.TABLES}


def test_tables_have_one_config_each():
  assert tuple(CONFIGS) == tables.TABLES
  for config in CONFIGS.values():
    assert len(config.rows) == len(config.files)
    assert len(set(config.classes)) == len(config.classes)
