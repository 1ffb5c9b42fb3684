"""Tests of the consistency checks between processes."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import jax
import pytest

from mixup_jax.runtime import distributed
from mixup_jax.runtime import preflight

HERE = socket.gethostname()
CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "tabular.py"

# A section whose data one process may not be able to read.
SCRIPT = """
import os, sys

class NoTorch:  # tensorboardX would import it, for seconds.
  def find_spec(self, name, *_):
    if name == "torch":
      raise ImportError(name)

sys.meta_path.insert(0, NoTorch())
from mixup_jax.runtime import cli

def prepare(config):
  if "--process_id=" + os.environ.get("WITHOUT_DATA", "") in sys.argv:
    raise FileNotFoundError("iris is not prepared in /data: prepare it")

row = dict(setting="iris", method="ERM", key="erm", metric="error", paper=None,
           value=1.0, std=0.0, n=1, epochs=1)
cli.launch("toy", prepare=prepare, config_file=sys.argv.pop(1),
           run=lambda config, prepared, recorder: {"rows": [row]})
"""


@pytest.fixture
def run(tmp_path):
  """Runs the script in two processes; returns statuses, outputs and errors."""

  def run_two(*flags_of_each, **environment):
    with socket.create_server(("", 0)) as server:
      port = server.getsockname()[1]
    processes = [
      subprocess.Popen(
        [
          sys.executable,
          "-c",
          SCRIPT,
          CONFIG,
          f"--workdir={tmp_path}",
          f"--coordinator=127.0.0.1:{port}",
          "--num_processes=2",
          f"--process_id={index}",
          *flags,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), **environment},
      )
      for index, flags in enumerate(flags_of_each)
    ]
    printed = [process.communicate(timeout=60) for process in processes]
    return [(p.returncode, *words) for p, words in zip(processes, printed)]

  return run_two


@pytest.mark.slow
def test_checked_prints_one_line_if_all_processes_agree(run, tmp_path):
  (status, out, _), (other, quiet, _) = run(["--expect_devices=16"], [])
  assert status == other == 0 and not quiet
  assert out.startswith(
    "preflight: 2 processes x 8 cpu, same code, versions "
    "and config; one disk, data readable\ntoy: 16 x cpu"
  )
  assert not list(tmp_path.glob(".pre*"))


@pytest.mark.slow
def test_identity_of_another_config_is_refused_by_all_processes(run):
  (status, _, words), other = run([], ["--config.seeds=9"])
  assert status == 2
  assert words == (
    "error: the processes do not match:\n"
    f"  config.seeds: 50 on process 0 ({HERE}), 9 on process 1 ({HERE})\n"
    "Give the same code, versions and config to all.\n"
  )
  assert other == (2, "", words)


@pytest.mark.slow
def test_checked_reports_unreadable_data_to_all_processes(run):
  (status, out, words), other = run([], [], WITHOUT_DATA="0")
  assert (status, out) == (2, "")
  assert words == "error: iris is not prepared in /data: prepare it\n"
  assert other == (
    2,
    "",
    f"error: process 0 ({HERE}) is gone, it ended with "
    "FileNotFoundError: iris is not prepared in /data: prepare "
    "it: check its log. All others have stopped.\n",
  )


def test_identity_has_code_versions_and_config():
  fields = preflight.identity("toy", {"model": {"width": 8}, "seeds": 3})
  assert fields["section"] == "toy"
  assert fields["config.model.width"] == 8 and fields["config.seeds"] == 3
  assert fields["jax"] == jax.__version__
  assert fields["python"] == "{}.{}.{}".format(*sys.version_info)
  assert set(fields) >= {"jaxlib", "flax", "optax", "numpy"}
  for name in (
    "mixup_jax/runtime/preflight.py",
    "mixup_jax/models/mlp.py",
    "configs/cifar.py",
    "experiments/cifar.py",
  ):
    assert len(fields[name]) == 12
  assert len(json.dumps(fields)) < 2**16


def test_identity_depends_on_every_source_file(monkeypatch, tmp_path):
  monkeypatch.setattr(preflight, "_CODE", ("code_of_a_test",))
  monkeypatch.syspath_prepend(tmp_path)
  (tmp_path / "code_of_a_test" / "part").mkdir(parents=True)
  path = tmp_path / "code_of_a_test" / "part" / "steps.py"
  path.write_text("a = 1\n")
  before = preflight.identity("toy", {})
  path.write_text("a = 2\n")
  lines = distributed.differences(
    [("a", before), ("b", preflight.identity("toy", {}))]
  )
  assert lines.startswith("  code_of_a_test/part/steps.py: ")
  assert lines.count("\n") == 0


@pytest.fixture
def others(monkeypatch):
  """Simulates two other processes, which report what this one does."""

  def simulate(own=0, **change):

    def exchange(report):
      own_report = {"host": "a", **report}
      reports = [
        own_report,
        {**own_report, "host": "b", **change},
        {**own_report, "host": "c"},
      ]
      return reports[own:] + reports[:own]

    monkeypatch.setattr(distributed, "exchange", exchange)
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    monkeypatch.setattr(jax, "process_index", lambda: own)

  return simulate


def test_checked_prints_nothing_for_one_process(tmp_path, capsys):
  with preflight.checked(tmp_path, expect_devices=8):
    assert not list(tmp_path.iterdir())
  assert capsys.readouterr().out == ""


def test_checked_names_a_process_with_fewer_devices(others, tmp_path):
  others(devices="4 cpu")
  with pytest.raises(ValueError) as error, preflight.checked(tmp_path, None):
    raise AssertionError("went on")
  assert (
    'devices: "4 cpu" on process 1 (b), "8 cpu" on process 0 (a) and '
    "process 2 (c)"
  ) in str(error.value)
  assert not list(tmp_path.iterdir())


def test_checked_refuses_fewer_devices_than_expected(others, tmp_path):
  others()
  with pytest.raises(
    ValueError,
    match="expected 256 devices, but found 8"
    ".*3 process.* with 8 cpu each, from a to c. Start",
  ):
    with preflight.checked(tmp_path, 256):
      raise AssertionError("went on")


def test_checked_names_a_process_with_another_disk(
  others, tmp_path, monkeypatch
):
  monkeypatch.setattr(preflight, "_DISK_SECONDS", 0.1)
  others(own=1)
  with pytest.raises(
    OSError,
    match=r"process 1 \(c\) does not see the file that "
    r"process 0 \(b\) wrote to .*: mount",
  ):
    with preflight.checked(tmp_path, None):
      raise AssertionError("went on")


def test_checked_waits_for_a_slow_disk(others, tmp_path, monkeypatch):
  others(own=1)
  looks = []

  def exists(path):
    looks.append(path)
    return len(looks) == 3

  monkeypatch.setattr(pathlib.Path, "exists", exists)
  monkeypatch.setattr(time, "sleep", lambda seconds: None)
  with preflight.checked(tmp_path, None):
    assert len(looks) == 3
