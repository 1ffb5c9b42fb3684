"""Proves which runs networks are taken from, and which are refused."""

import json

import pytest

from configs import in_between as configs
from mixup_jax import networks


def write_run(path, section="cifar", **changes):
  config = configs.get_config("smoke")
  config.update(changes)
  result = {"section": section, "config": config.to_dict()}
  (path / "result.json").write_text(json.dumps(result))
  return config


def given(path, **changes):
  config = configs.get_config()
  config.update({"networks": str(path), **changes})
  return config


def test_without_a_run_the_config_is_its_own():
  config = configs.get_config()
  assert networks.trained_as(config) is config
  networks.check(config, config)


def test_a_run_decides_how_its_networks_are_built(tmp_path):
  config = write_run(tmp_path, alpha=0.4, data_dir="there")
  theirs = networks.trained_as(given(tmp_path))
  assert theirs.to_dict() == config.to_dict()  # With tuples, as before JSON.
  assert networks.trained_as(given(tmp_path,
                                   data_dir="here")).data_dir == "here"
  assert list(networks.methods(theirs.alpha)) == ["ERM", "mixup, alpha 0.4"]


@pytest.mark.parametrize("text", [None, "{", "{}", '{"section": "tabular"}'])
def test_what_is_no_such_run_is_refused(tmp_path, text):
  if text is not None:
    (tmp_path / "result.json").write_text(text)
  with pytest.raises(ValueError, match="is no finished run of experiments.cif"):
    networks.trained_as(given(tmp_path))


def test_a_missing_network_is_named(tmp_path):
  write_run(tmp_path)
  config = given(tmp_path)
  theirs = networks.trained_as(config)
  (networks.directory(tmp_path, "ERM", 0) / "checkpoints" /
   "5").mkdir(parents=True)
  with pytest.raises(ValueError, match="mixup/seed_0/checkpoints: name a run"):
    networks.check(config, theirs)
  (networks.directory(tmp_path, "mixup, alpha 1", 0) / "checkpoints" /
   "5").mkdir(parents=True)
  networks.check(config, theirs)
