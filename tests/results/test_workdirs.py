"""Tests of the early checks of a working directory."""

import errno
import json
import os
import pathlib
import shutil

import pytest

from mixup_jax.results import workdirs


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
