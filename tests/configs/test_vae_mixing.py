"""Proves the settings that are those of section 3.6, and the arguments."""

from configs import tabular
from configs import vae_mixing


def test_tables_are_trained_as_in_section_3_6():
  ours, theirs = vae_mixing.get_config("dataset=tables"), tabular.get_config()
  assert ours.datasets == tabular.TABLES
  for name in ("model", "optimizer", "batch_size", "epochs", "train_fraction",
               "scaling", "missing", "categorical"):
    assert ours[name] == theirs[name], name


def test_arguments():
  config = vae_mixing.get_config()
  assert config.datasets == ("digits",) and config.seeds == 20
  assert vae_mixing.get_config("dataset=iris,seeds=3").seeds == 3
  smoke = vae_mixing.get_config("smoke")
  assert smoke.seeds == 2 and smoke.vae_steps < config.vae_steps
