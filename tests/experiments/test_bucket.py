"""A run with its data and its working directory in a bucket.

Two processes are stopped by SIGTERM, started again, killed, and started again
as one; the result is that of an undisturbed run on a disk, bit by bit.
"""

import collections
import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tarfile
import time

import numpy as np
import PIL.Image
import pytest

from mixup_jax.data import prepare
from mixup_jax.runtime import storage
from tests import subprocesses

ROOT = pathlib.Path(__file__).parents[2]
CONFIG = {
  "dataset": "image_folder/few",
  "image_size": "8",
  "model.blocks": "(1,)",
  "model.width": "2",
  "batch_size": "8",
  "eval_batch_size": "8",
  "warmup_epochs": "0",
  "epochs": "4",
}
SECONDS = 90
TINY_IMAGENET = "tiny-imagenet/tiny-imagenet-200-subset20.tar.xz"


def of_tiny_imagenet(archive):
  """Yields the class and the bytes of training images, class by class."""
  with tarfile.open(archive, "r|*") as members:
    for member in members:
      path = pathlib.PurePosixPath(member.name)
      if path.suffix == ".JPEG" and "train" in path.parts:
        yield path.parents[1].name, members.extractfile(member).read()


def of_noise():
  """Yields the class and the bytes of images of noise."""
  rng = np.random.default_rng(0)
  for name in "abcdef":
    for _ in range(10):
      file = io.BytesIO()
      pixels = rng.integers(256, size=(12, 12, 3), dtype=np.uint8)
      PIL.Image.fromarray(pixels).save(file, "JPEG")
      yield name, file.getvalue()


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
  """Returns a folder of JPEGs of six classes: real ones where they are."""
  folder = tmp_path_factory.mktemp("raw")
  real = pathlib.Path(os.environ.get("MIXUP_JAX_RAW_DATA", "")) / TINY_IMAGENET
  counts = collections.Counter()
  for name, content in of_tiny_imagenet(real) if real.exists() else of_noise():
    counts[name] += 1
    if counts[name] <= 10 and len(counts) <= 6:
      split = "train" if counts[name] <= 8 else "val"
      path = folder / split / name / f"{counts[name]}.jpg"
      path.parent.mkdir(parents=True, exist_ok=True)
      path.write_bytes(content)
    if sum(min(count, 10) for count in counts.values()) >= 60:
      break
  return folder


class Runs:
  """Starts processes of one run."""

  def __init__(self, data_dir, workdir):
    self.workdir = storage.path(workdir, "workdir")
    flags = {**CONFIG, "data_dir": data_dir}
    self._words = [
      *(sys.executable, "-m", "experiments.imagenet"),
      "--config=configs/imagenet.py:smoke,method=mixup",
      *(f"--config.{name}={value}" for name, value in flags.items()),
      f"--workdir={workdir}",
    ]
    self.started = []

  def start(self, processes, *, save_every=300.0):
    """Starts processes with two devices in all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
      port = server.getsockname()[1]
    words = [*self._words, f"--config.save_every={save_every}"]
    environment = subprocesses.environment(2 // processes)
    for index in range(processes):
      more = [
        f"--coordinator=127.0.0.1:{port}",
        f"--num_processes={processes}",
        f"--process_id={index}",
      ]
      self.started.append(
        subprocess.Popen(
          [*words, *(more if processes > 1 else ())],
          cwd=ROOT,
          env=environment,
          stdout=subprocess.DEVNULL,
          stderr=subprocess.PIPE,
          text=True,
        )
      )

  def saved(self):
    """Returns the steps of complete checkpoints."""
    folder = self.workdir / "mixup" / "seed_0" / "checkpoints"
    marks = [x for x in storage.files_below(folder) if "commit" in x.name]
    whole = [x.parent for x in marks if x.parent.parent == folder]
    return sorted(int(x.name) for x in whole)

  def await_save(self, after=0):
    """Waits for a checkpoint of a later step, and returns its step."""
    deadline = time.monotonic() + SECONDS
    while (step := max(self.saved(), default=0)) <= after:
      assert time.monotonic() < deadline and self.started[0].poll() is None, (
        self.started[0].communicate()
      )
      time.sleep(0.02)
    return step

  def ended(self):
    """Returns the statuses of the processes, which must end now."""
    errors = [
      process.communicate(timeout=SECONDS)[1] for process in self.started
    ]
    statuses = [process.returncode for process in self.started]
    self.started = []
    return statuses, errors

  def outcome(self):
    """Returns rows, curves, and the CRC-32 of each leaf of the last state."""
    result = json.loads((self.workdir / "result.json").read_text())
    folder = self.workdir / "mixup" / "seed_0" / "checkpoints" / "24"
    listed = json.loads((folder / "leaves" / "metadata").read_text())
    rows = [row for row in result["rows"] if "seconds" not in row["metric"]]
    assert rows and result["curves"] and listed["leaves"]
    return rows, result["curves"], listed["leaves"]


@pytest.mark.slow
def test_run_in_a_bucket_equals_one_on_a_disk_whatever_stops_it(
  raw, tmp_path, bucket, capsys
):
  words = ["image_folder/few", "--raw", str(raw), "--data_dir"]
  for data_dir in (f"{bucket}/data", str(tmp_path / "data")):
    assert prepare.main([*words, data_dir]) == 0
  local = Runs(str(tmp_path / "data"), str(tmp_path / "run"))
  remote = Runs(f"{bucket}/data", f"{bucket}/run")
  try:
    local.start(1)
    remote.start(2, save_every=0.01)
    step = remote.await_save()
    remote.started[1].send_signal(signal.SIGTERM)
    statuses, errors = remote.ended()
    assert statuses == [143, 143], errors
    [step] = remote.saved()[-1:]

    remote.start(2, save_every=0.01)
    remote.await_save(after=step)
    remote.started[0].kill()
    statuses, errors = remote.ended()
    assert statuses == [-signal.SIGKILL, 42], errors

    remote.start(1)
    for runs in (local, remote):
      statuses, errors = runs.ended()
      assert statuses == [0], errors
  finally:
    for process in local.started + remote.started:
      process.kill()
  assert remote.outcome() == local.outcome()
