"""Proves which runs networks are taken from, and which are refused."""

import json

import chex
import pytest

from configs import in_between as configs
from mixup_jax import networks
from mixup_jax import recipe


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
  networks.check(config, config, {})


def test_a_run_decides_how_its_networks_are_built(tmp_path):
  config = write_run(tmp_path, alpha=0.4, data_dir="there")
  theirs = networks.trained_as(given(tmp_path))
  assert theirs.to_dict() == config.to_dict()  # With tuples, as before JSON.
  assert (
    networks.trained_as(given(tmp_path, data_dir="here")).data_dir == "here"
  )
  assert list(networks.methods(theirs.alpha)) == ["ERM", "mixup, alpha 0.4"]


@pytest.mark.parametrize("text", [None, "{", "{}", '{"section": "tabular"}'])
def test_what_is_no_such_run_is_refused(tmp_path, text):
  if text is not None:
    (tmp_path / "result.json").write_text(text)
  with pytest.raises(ValueError, match="is no finished run of experiments.cif"):
    networks.trained_as(given(tmp_path))


def test_a_network_is_trained_read_and_missed(tmp_path):
  """Of one method a run has both seeds, of the other none."""
  config = write_run(tmp_path, seeds=2, epochs=1, num_train=64)
  config.model.update({"blocks": (1,), "width": 2})
  data = recipe.load(config)
  made = {"ERM": recipe.make_program(config, data)}
  states = [
    networks.get(config, made["ERM"], data, "ERM", seed, tmp_path)
    for seed in recipe.seeds(config)
  ]
  assert all(seconds > 0 for _, seconds in states)
  run = given(tmp_path)
  networks.check(run, config, made)
  again, seconds = networks.get(run, made["ERM"], data, "ERM", 1, tmp_path)
  assert seconds == 0
  chex.assert_trees_all_equal(again.params, states[1][0].params)
  with pytest.raises(ValueError, match="mixup/seed_0: name a run with both"):
    networks.check(run, config, {**made, "mixup, alpha 1": made["ERM"]})
  config.model.width = 3
  other = {"ERM": recipe.make_program(config, data)}
  with pytest.raises(ValueError, match="is of another model"):
    networks.check(run, config, other)
