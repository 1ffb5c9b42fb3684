"""Tests of reading the networks of another run."""

import errno
import json
import os
import pathlib
import shutil

import chex
import pytest

from configs import in_between
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import pretrained
from mixup_jax.runtime import storage


def write_run(path, section="cifar", **changes):
  config = in_between.get_config("smoke")
  config.update(changes)
  result = {"section": section, "config": config.to_dict()}
  (path / "result.json").write_text(json.dumps(result))
  return config


def given(path, **changes):
  config = in_between.get_config()
  config.update({"networks": str(path), **changes})
  return config


def test_trained_as_without_a_run_returns_the_config():
  config = in_between.get_config()
  assert pretrained.trained_as(config) is config
  pretrained.check(config, config, {})


def test_trained_as_returns_the_config_of_the_run(tmp_path):
  config = write_run(tmp_path, data_dir="there", mix={"alpha": 0.4})
  theirs = pretrained.trained_as(given(tmp_path))
  assert theirs.to_dict() == config.to_dict()  # With tuples, as before JSON.
  assert (
    pretrained.trained_as(given(tmp_path, data_dir="here")).data_dir == "here"
  )
  labels = [method.label for method in pretrained.methods(theirs)]
  assert labels == ["ERM", "mixup, alpha 0.4"]


def test_trained_as_reads_a_run_in_a_bucket(tmp_path, bucket):
  config = write_run(tmp_path, mix={"alpha": 0.4})
  storage.upload(tmp_path, storage.path(bucket, "networks"))
  theirs = pretrained.trained_as(given(bucket))
  assert theirs.to_dict() == config.to_dict()
  erm, _ = pretrained.methods(theirs)
  assert str(pretrained.directory(bucket, erm, 3)) == f"{bucket}/erm/seed_3"


@pytest.mark.parametrize("text", [None, "{", "{}", '{"section": "tabular"}'])
def test_trained_as_refuses_an_unfinished_run_or_another_section(
  tmp_path, text
):
  if text is not None:
    (tmp_path / "result.json").write_text(text)
  with pytest.raises(ValueError, match="is no finished run of experiments.cif"):
    pretrained.trained_as(given(tmp_path))


def test_trained_as_does_not_take_what_it_cannot_read_for_unfinished(
  tmp_path, monkeypatch
):
  write_run(tmp_path)

  def fail(*_, **__):
    raise OSError(errno.EIO, os.strerror(errno.EIO), "result.json")

  monkeypatch.setattr(pathlib.Path, "read_text", fail)
  with pytest.raises(OSError, match="Input/output error: 'result.json'"):
    pretrained.trained_as(given(tmp_path))


def test_trained_as_refuses_a_run_from_before_config_mix(tmp_path):
  old = {"section": "cifar", "config": {"alpha": 1.0, "data_dir": ""}}
  (tmp_path / "result.json").write_text(json.dumps(old))
  with pytest.raises(ValueError, match="is a run from before config.mix"):
    pretrained.trained_as(given(tmp_path))


def test_get_trains_or_reads_a_network_and_check_names_a_missing_one(tmp_path):
  """Of one method a run has both seeds, of the other none."""
  config = write_run(tmp_path, seeds=2, epochs=1, num_train=64)
  config.model.update({"blocks": (1,), "width": 2})
  data = in_memory.load(config)
  erm, mixup = pretrained.methods(config)
  made = {erm: in_memory.make_program(config, data, erm)}
  states = [
    pretrained.get(config, made[erm], data, erm, seed, tmp_path)
    for seed in in_memory.seeds(config)
  ]
  assert all(seconds > 0 for _, seconds in states)
  run = given(tmp_path)
  pretrained.check(run, config, made)
  # The last checkpoint is gone, or the network was to be trained for longer.
  metrics = tmp_path / "erm/seed_1/metrics.jsonl"
  text = metrics.read_text()
  for step, epoch in ((4, 1), (2, 0)):
    *_, line = text.splitlines()
    line = json.loads(line) | {"step": step, "epoch": epoch}
    metrics.write_text(json.dumps(line))
    with pytest.raises(ValueError, match=f"epoch {epoch} of 1, step {step}: g"):
      pretrained.check(run, config, made)
  metrics.unlink()  # Copied without.
  pretrained.check(run, config, made)
  again, seconds = pretrained.get(run, made[erm], data, erm, 1, tmp_path)
  assert seconds == 0
  chex.assert_trees_all_equal(again.params, states[1][0].params)
  (damaged,) = (tmp_path / "erm/seed_1/checkpoints").glob("[0-9]*")
  (damaged / "leaves" / "metadata").write_text("{")
  with pytest.raises(OSError, match="is damaged"):
    pretrained.check(run, config, made)
  assert damaged.is_dir()  # It is another run's, and stays.
  shutil.rmtree(tmp_path / "erm/seed_1")
  with pytest.raises(ValueError, match="erm/seed_1: name a run with both"):
    pretrained.check(run, config, made)
  config.seeds = 1
  with pytest.raises(ValueError, match="mixup/seed_0: name a run with both"):
    pretrained.check(run, config, {**made, mixup: made[erm]})
  config.model.width = 3
  other = {erm: in_memory.make_program(config, data, erm)}
  with pytest.raises(ValueError, match="is of another model"):
    pretrained.check(run, config, other)
