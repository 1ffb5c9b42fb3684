"""Tests of the files of a run that grow, on a disk and in a bucket."""

import pytest

from mixup_jax.results import growing
from mixup_jax.runtime import storage

FILE = "metrics.jsonl"


@pytest.fixture
def workdir(bucket) -> storage.Path:
  return storage.path(bucket, "workdir")


def test_start_appends_each_line_on_a_disk(tmp_path):
  files = growing.start(tmp_path, "a\n", step=0)
  files.write("b\n", 1, {"loss": 0.5})
  assert (tmp_path / FILE).read_text() == "a\nb\n"
  files.sync()
  files.close()
  assert len(list(tmp_path.glob("events.out*"))) == 1


def test_start_rewrites_a_bucket_on_sync_and_at_the_end(workdir):
  files = growing.start(workdir, "a\n", step=0)
  files.write("b\n", 1, {"loss": 0.5})
  assert (workdir / FILE).read_text() == "a\n"
  files.sync()
  assert (workdir / FILE).read_text() == "a\nb\n"
  files.write("c\n", 2, {"loss": 0.5})
  files.close()
  assert (workdir / FILE).read_text() == "a\nb\nc\n"
  [events] = workdir.glob("events.out*")
  assert events.read_bytes().count(b"loss") == 2


def test_start_rewrites_a_bucket_after_a_minute(workdir, monkeypatch):
  files = growing.start(workdir, "", step=0)
  monkeypatch.setattr(growing, "_SECONDS", -1.0)
  files.write("b\n", 1, {})
  assert (workdir / FILE).read_text() == "b\n"
  files.close()


def test_sync_writes_nothing_that_is_there_already(workdir):
  files = growing.start(workdir, "", step=0)
  files.write("b\n", 1, {})
  files.sync()
  (workdir / FILE).write_bytes(b"of the test")
  files.sync()
  files.close()
  assert (workdir / FILE).read_text() == "of the test"
