"""Tests of the files of a run that grow, on a disk and in a bucket."""

import importlib
import sys

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


def test_events_hide_what_numbers_do_not_need(tmp_path, monkeypatch):
  names = ["torch", "boto3", "google.cloud.storage"]
  for name in [*names, "tensorboardX"]:
    monkeypatch.setitem(sys.modules, name, None)  # Restored at the end.
    del sys.modules[name]
  (tmp_path / "tensorboardX.py").write_text(
    f"import sys\nhidden = [n for n in {names} if n in sys.modules]\n"
    "SummaryWriter = lambda *_, **__: hidden\n",
    "utf-8",
  )
  monkeypatch.syspath_prepend(tmp_path)
  assert growing._events(tmp_path, 0) == names


def test_hidden_modules_are_found_afterwards(tmp_path, monkeypatch):
  for name in ("hidden_one", "imported_one"):
    (tmp_path / f"{name}.py").write_text("x = 1\n", "utf-8")
  monkeypatch.syspath_prepend(tmp_path)
  importlib.import_module("imported_one")
  with growing._hidden("hidden_one", "imported_one"):
    with pytest.raises(ImportError):
      importlib.import_module("hidden_one")
    assert importlib.import_module("imported_one").x == 1
  assert importlib.import_module("hidden_one").x == 1
