"""Tests of the files of a run: strict JSON, whole after any stop."""

import errno
import json
import os

import jax
import numpy as np
import pytest
from tensorboard.backend.event_processing import event_accumulator

from mixup_jax.results import metric_lines
from mixup_jax.results.recorder import environment
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import storage

ROW = dict(
  setting="iris",
  method="ERM",
  key="erm",
  metric="test error (%)",
  paper=21.3,
  value=14.43,
  std=5.0,
  n=25,
  epochs=10,
)


def written(workdir):
  """Returns the lines of the file, without their checksums."""
  texts = (workdir / "metrics.jsonl").read_text().splitlines()
  lines = [json.loads(text) for text in texts]
  for line in lines:
    del line["crc32"]
  return lines


def test_recorder_writes_the_files_of_a_run(tmp_path):
  config = {"alpha": 0.2, "layers": (1, 2)}
  with Recorder(tmp_path / "run", config=config) as recorder:
    recorder.metrics(1, {"loss": np.float32(0.5)})
    recorder.metrics(2, {"loss": 0.25, "error": np.array(3)})
    path = recorder.result({"section": "tabular", "rows": [ROW]})
  run = tmp_path / "run"
  assert json.loads((run / "config.json").read_text()) == {
    "alpha": 0.2,
    "layers": [1, 2],
  }
  assert written(run) == [
    {"step": 1, "loss": 0.5},
    {"step": 2, "loss": 0.25, "error": 3.0},
  ]
  result = json.loads(path.read_text())
  assert result["rows"] == [ROW] and result["section"] == "tabular"
  assert result["config"]["alpha"] == 0.2
  assert not list(run.glob("*.partial"))


def test_recorder_resumed_drops_lines_of_later_steps(tmp_path):
  with Recorder(tmp_path, config={"a": (1, 2)}) as recorder:
    for step in range(1, 6):
      recorder.metrics(step, {"loss": step})
      if step == 3:
        crc32 = recorder.crc32
  path = tmp_path / "metrics.jsonl"
  with open(path, "a", encoding="utf-8") as file:
    file.write('{"step": 6, "lo')  # Killed while it wrote.
  options = dict(step=3, eval_steps=(), crc32=crc32)
  lines = metric_lines.read(path, **options)
  with Recorder(tmp_path, config={"a": (1, 2)}, lines=lines) as recorder:
    assert [line["step"] for line in recorder.lines] == [1, 2, 3]
    assert recorder.crc32 == crc32
    recorder.metrics(4, {"loss": 44})
  assert written(tmp_path) == recorder.lines
  assert recorder.lines[-1] == {"step": 4, "loss": 44}
  options = dict(step=4, eval_steps=(), crc32=recorder.crc32)
  assert metric_lines.read(path, **options) == recorder.lines
  events = event_accumulator.EventAccumulator(str(tmp_path)).Reload()
  assert [e.value for e in events.Scalars("loss")] == [1, 2, 3, 44]


def strict(text):
  def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")

  return json.loads(text, parse_constant=refuse)


def test_recorder_resumed_in_a_bucket_has_the_lines_before(bucket):
  workdir = storage.path(bucket, "workdir")
  with Recorder(workdir, config={}) as recorder:
    recorder.metrics(1, {"loss": 0.5})
    recorder.sync()
    crc32 = recorder.crc32
    recorder.metrics(2, {"loss": 0.25})
  lines = metric_lines.read(
    workdir / "metrics.jsonl", step=1, eval_steps=(), crc32=crc32
  )
  assert lines == [{"step": 1, "loss": 0.5}]
  with Recorder(workdir, config={}, lines=lines) as recorder:
    recorder.metrics(2, {"loss": 0.125})
    recorder.result({"rows": []})
  assert [x["loss"] for x in written(workdir)] == [0.5, 0.125]
  assert len(list(workdir.glob("events.out.tfevents*"))) == 2
  result = json.loads((workdir / "result.json").read_text())
  assert result["rows"] == []


def test_recorder_writes_null_for_what_is_not_finite(tmp_path):
  row = {**ROW, "value": float("nan"), "std": np.float64("inf")}
  config = {"limit": float("inf"), "a": np.nan}
  with Recorder(tmp_path, config=config) as recorder:
    recorder.metrics(1, {"loss": np.float32("nan"), "error": 2})
    path = recorder.result({"rows": [row], "values": ((1.0, -np.inf),)})
  result = strict(path.read_text())
  assert result["rows"] == [{**ROW, "value": None, "std": None}]
  assert result["values"] == [[1.0, None]] and result["config"] == {
    "limit": None,
    "a": None,
  }
  strict((tmp_path / "config.json").read_text())
  (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
  assert strict(line).items() >= {"step": 1, "loss": None, "error": 2}.items()
  (kept,) = recorder.lines
  assert np.isnan(kept["loss"])


def test_recorder_sync_puts_all_lines_on_the_disk(tmp_path, monkeypatch):
  synced = []
  with Recorder(tmp_path, config={}) as recorder:
    monkeypatch.setattr(
      os, "fsync", lambda number: synced.append(os.fstat(number).st_size)
    )
    recorder.metrics(1, {"loss": 2})
    assert not synced  # It would slow down each step.
    recorder.sync()
    assert synced == [(tmp_path / "metrics.jsonl").stat().st_size] != [0]


def test_recorder_of_another_process_writes_nothing(tmp_path, monkeypatch):
  monkeypatch.setattr(jax, "process_index", lambda: 1)
  with Recorder(tmp_path, config={}) as recorder:
    recorder.metrics(1, {"loss": 2})
    recorder.result({"rows": [ROW]})
  assert recorder.lines == [{"step": 1, "loss": 2}]
  assert not list(tmp_path.iterdir())


def test_recorder_writes_events_for_tensorboard(tmp_path):
  with Recorder(tmp_path, config={}) as recorder:
    for step in range(3):
      recorder.metrics(step, {"loss": step / 2})
  events = event_accumulator.EventAccumulator(str(tmp_path)).Reload()
  assert [e.value for e in events.Scalars("loss")] == [0, 0.5, 1]


def test_environment_names_device_versions_and_commit():
  found = environment()
  assert found["device"] == "8 x cpu"
  assert set(found) >= {
    "platform",
    "processor",
    "cores",
    "python",
    "jax",
    "numpy",
    "commit",
    "date",
  }
  json.dumps(found)


def test_recorder_on_a_full_disk_keeps_the_old_result(tmp_path, monkeypatch):
  with Recorder(tmp_path, config={}) as recorder:
    path = recorder.result({"rows": [ROW]})
    before = path.read_text()

    def fill(number):
      raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
      patched.setattr(os, "fsync", fill)
      with pytest.raises(OSError, match="No space left"):
        recorder.result({"rows": []})
  assert path.read_text() == before
