"""Tests of the early checks of a working directory."""

import errno
import json
import os
import pathlib
import shutil

import pytest

from mixup_jax.results import workdirs
from mixup_jax.runtime import storage


def test_check_refuses_another_config_with_the_difference(tmp_path):
  config = {"epochs": 200, "model": {"name": "mlp", "hidden": (8, 8)}}
  (tmp_path / "config.json").write_text(json.dumps(config))
  assert workdirs.check(tmp_path, config) == tmp_path
  other = {"epochs": 100, "model": {"name": "mlp"}}
  with pytest.raises(ValueError) as error:
    workdirs.check(tmp_path, other)
  assert str(error.value).splitlines()[1:3] == [
    "  config.epochs: 200 there, 100 here",
    "  config.model.hidden: [8, 8] there, nothing here",
  ]


@pytest.mark.parametrize(
  "field, before, now",
  [
    ("data_dir", "/data", "/moved"),
    ("workers", -1, 4),
    ("seeds_at_once", 20, 0),
    ("steps_per_dispatch", 0, 10),
    ("eval_batch_size", 512, 64),
  ],
)
def test_check_lets_fields_change_that_change_no_result(
  tmp_path, field, before, now
):
  (tmp_path / "config.json").write_text(json.dumps({"a": 1, field: before}))
  workdirs.check(tmp_path, {"a": 1, field: now})
  with pytest.raises(ValueError) as error:
    workdirs.check(tmp_path, {"a": 2, field: now})
  assert "config.a: 1 there, 2 here" in str(error.value)
  assert field not in str(error.value)
  (tmp_path / "config.json").write_text(json.dumps({"model": {field: before}}))
  with pytest.raises(ValueError, match=f"config.model.{field}: "):
    workdirs.check(tmp_path, {"model": {field: now}})


def test_check_lets_a_run_of_networks_have_more_of_them(tmp_path):
  before = {"seeds": 3, "rows": ["erm"], "mix": {"alpha": 1.0}}
  (tmp_path / "config.json").write_text(json.dumps(before))
  more = {**before, "seeds": 5, "rows": ("erm", "cutmix")}
  workdirs.check(tmp_path, more, of_networks=True)
  with pytest.raises(ValueError, match=r"config.seeds: 3 there, 5 here"):
    workdirs.check(tmp_path, more)
  other = {**more, "mix": {"alpha": 0.2}}
  with pytest.raises(ValueError, match="config.mix.alpha: 1.0") as error:
    workdirs.check(tmp_path, other, of_networks=True)
  assert "seeds" not in str(error.value)


def test_check_binds_what_a_vae_draws_its_codes_by(tmp_path):
  config = {"vae": {"latent": 2}, "eval_batch_size": 512}
  (tmp_path / "config.json").write_text(json.dumps(config))
  with pytest.raises(ValueError, match="config.eval_batch_size: 512 there, 64"):
    workdirs.check(tmp_path, {**config, "eval_batch_size": 64})


@pytest.mark.parametrize(
  "name, found",
  [
    ("[1]", "[ ]"),
    ("a[", "["),
    ("b]/c", "]"),
    ("a*", "*"),
    ("b?", "?"),
    ("a\\b", "\\"),
    ("a\udcff", "\udcff"),  # Bytes that are no UTF-8.
  ],
)
def test_check_refuses_a_name_that_loses_checkpoints(tmp_path, name, found):
  with pytest.raises(ValueError) as error:
    workdirs.check(tmp_path / name)
  assert f" has {found!r} in its path" in str(error.value)
  assert not list(tmp_path.iterdir())


def test_check_refuses_such_a_name_of_the_current_directory(
  tmp_path, monkeypatch
):
  (tmp_path / "a*").mkdir()
  monkeypatch.chdir(tmp_path / "a*")
  with pytest.raises(ValueError, match=r"has '\*' in its path.*--workdir"):
    workdirs.check("run")


@pytest.mark.parametrize("text", ("", "{", '{"a": 1'))
def test_check_names_a_damaged_config(tmp_path, text):
  (tmp_path / "config.json").write_text(text)
  with pytest.raises(ValueError, match="config.json is damaged.*--workdir"):
    workdirs.check(tmp_path, {"a": 1})


def test_check_refuses_a_file(tmp_path):
  (tmp_path / "file").write_text("")
  for path in (tmp_path / "file", tmp_path / "file" / "below"):
    with pytest.raises(OSError, match="cannot write .*another with --workdir"):
      workdirs.check(path)


def test_check_refuses_a_read_only_directory(tmp_path, monkeypatch):

  def refuse(self, data):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

  monkeypatch.setattr(pathlib.Path, "write_bytes", refuse)
  with pytest.raises(OSError, match="Read-only file system.*--workdir"):
    workdirs.check(tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_check_refuses_a_directory_without_space(tmp_path):
  (tmp_path / ".probe0").symlink_to("/dev/full")  # Each write there fails.
  with pytest.raises(OSError, match="No space left on device.*--workdir"):
    workdirs.check(tmp_path)


def test_check_refuses_a_nearly_full_disk(tmp_path, monkeypatch):
  usage = shutil.disk_usage(tmp_path)._replace(free=2**20)
  monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
  with pytest.raises(OSError, match="only 1.0 MiB left: free some"):
    workdirs.check(tmp_path)


def test_check_takes_a_bucket_with_the_config_of_the_run(bucket):
  path = workdirs.check(bucket, {"alpha": 0.2})
  assert str(path) == bucket and storage.files_below(path) == []
  (path / "config.json").write_bytes(b'{"alpha": 0.2}')
  workdirs.check(bucket, {"alpha": 0.2})
  with pytest.raises(ValueError, match=f"{bucket} holds .*another config"):
    workdirs.check(bucket, {"alpha": 0.4})


def test_check_names_a_bucket_that_is_not_there(bucket):
  with pytest.raises(OSError, match="there is no bucket nobucket.*--workdir"):
    workdirs.check("gs://nobucket/run")
