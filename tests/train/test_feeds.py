"""Tests of the feed of rows: a stopped run resumes bit by bit."""

import itertools
import json
import pathlib
import signal
import socket
import subprocess
import sys
import time
import types

import chex
import jax
import numpy as np
import pytest

from mixup_jax import models
from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import preemption
from mixup_jax.train import feeds
from mixup_jax.train import inputs
from mixup_jax.train import optim
from mixup_jax.train import program
from mixup_jax.train import run
from mixup_jax.train import schedules
from tests import subprocesses

ROOT = pathlib.Path(__file__).parents[2]
SECONDS = 600  # Until a process counts as stuck: a busy machine takes minutes.
MEANS = ("error", "top5_error", "nll", "brier", "ece")
STEPS = 3  # An epoch: 40 images in batches of 16.


def small_set():
  rng = np.random.default_rng(0)
  labels = rng.integers(0, 3, 60).astype(np.int32)
  pixels = rng.integers(0, 80, (60, 8, 8, 1)) + 80 * labels[:, None, None, None]
  pixels = pixels.astype(np.uint8)
  return images.ImageSet(
    name="small",
    train_images=pixels[:40],
    train_labels=labels[:40],
    test_images=pixels[40:],
    test_labels=labels[40:],
    num_classes=3,
    mean=(0.5,),
    std=(0.25,),
    pad=1,
    flip=False,
  )


def make_program(devices=1, learning_rate=0.1):
  rate = schedules.step_decay(learning_rate, steps=(6,), factor=0.1)
  model = models.build("preact_resnet18", num_classes=3, width=4, blocks=(1,))
  return program.make_program(
    model,
    optim.build("sgd", learning_rate=rate, momentum=0.9),
    inputs.resident(small_set()),
    mesh=sharding.make_mesh(jax.devices()[:devices]),
    learning_rate=rate,
  )


PROGRAM = make_program()


def train(workdir, made=PROGRAM, epochs=3, **options):
  feed = feeds.Resident(
    small_set(), made.mesh, batch_size=16, eval_batch_size=8, **options
  )
  return run.train(
    made,
    feed,
    seed=1,
    epochs=epochs,
    workdir=workdir,
    config={"epochs": epochs},
  )


def without_seconds(lines):
  return [
    {k: v for k, v in line.items() if "seconds" not in k} for line in lines
  ]


def final_state(workdir, made=PROGRAM):
  with checkpoint.Checkpoints(workdir / "checkpoints") as saved:
    return saved.restore(run.state_shapes(made))


@pytest.fixture
def stop_at(monkeypatch):
  """Makes the notice come at a step, or never."""

  def stop(step):
    monkeypatch.setattr(preemption, "reached", lambda done: done == step)

  return stop


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
  workdir = tmp_path_factory.mktemp("straight")
  return train(workdir), final_state(workdir)


def test_train_returns_a_line_for_each_epoch(straight):
  lines, (step, _) = straight
  assert step == 3 * STEPS
  assert [line["step"] for line in lines] == [3, 6, 9]
  assert [line["epoch"] for line in lines] == [1, 2, 3]
  assert set(lines[-1]) - set(lines[0]) == {f"clean/{name}" for name in MEANS}
  assert lines[-1]["train/loss"] < lines[0]["train/loss"]
  assert lines[-1]["clean/error"] < 20


@pytest.mark.parametrize("step", (1, STEPS, 5))
def test_train_resumes_bit_by_bit(tmp_path, stop_at, straight, step):
  stop_at(step)
  with pytest.raises(preemption.Stopped, match=f"after step {step}$"):
    train(tmp_path)
  stop_at(None)
  lines = train(tmp_path)
  assert without_seconds(lines) == without_seconds(straight[0])
  chex.assert_trees_all_equal(final_state(tmp_path), straight[1])
  text = (tmp_path / "metrics.jsonl").read_text()
  steps = [json.loads(line) for line in text.splitlines()]
  assert [s["step"] for s in steps if "loss" in s] == list(range(1, 10))


def test_train_of_a_finished_run_compiles_nothing(straight, tmp_path_factory):
  workdir = next(
    path
    for path in tmp_path_factory.getbasetemp().iterdir()
    if path.name.startswith("straight")
  )
  # None of these can be called.
  init = types.SimpleNamespace(trace=PROGRAM.init.trace)
  unused = PROGRAM._replace(init=init, step=pytest.fail, evaluate=None)
  assert train(workdir, unused) == straight[0]


def test_train_resumes_on_another_number_of_devices(
  tmp_path, stop_at, straight
):
  stop_at(4)
  with pytest.raises(preemption.Stopped):
    train(tmp_path)
  stop_at(None)
  eight = make_program(devices=8)
  lines = train(tmp_path, eight)
  step, state = final_state(tmp_path, eight)
  assert step == 9 and len(state.step.devices()) == 8
  chex.assert_trees_all_close(
    jax.device_get(state), jax.device_get(straight[1][1]), rtol=1e-3, atol=1e-5
  )
  np.testing.assert_allclose(
    [line["test/nll"] for line in lines],
    [line["test/nll"] for line in straight[0]],
    rtol=1e-3,
  )


def test_train_does_not_depend_on_steps_per_dispatch(tmp_path, straight):
  lines = train(tmp_path, steps_per_dispatch=2)
  for ours, expected in zip(lines, straight[0], strict=True):
    for name in ("step", "train/loss", "test/nll", "train/error"):
      np.testing.assert_allclose(ours[name], expected[name], rtol=1e-3)


def test_train_evaluates_measured_parts_after_each_epoch(tmp_path, straight):
  """They are measured as the test images are, and change no training."""
  data = small_set()
  again = {"again": (data.test_images, data.test_labels)}
  lines = train(tmp_path, measured=again)
  for ours, expected in zip(lines, straight[0], strict=True):
    assert ours["again/nll"] == ours["test/nll"] == expected["test/nll"]
    assert set(ours) - set(expected) == {f"again/{name}" for name in MEANS}


def test_resident_batches_have_the_neighbors():
  options = {"batch_size": 16, "eval_batch_size": 8}
  table = np.zeros((40, 2), np.int32)
  plain, paired = (
    feeds.Resident(small_set(), PROGRAM.mesh, **options, neighbors=x)
    for x in (None, table)
  )
  both = zip(plain.train_batches(1, 0), paired.train_batches(1, 0))
  for one, other in itertools.islice(both, 4):
    chex.assert_trees_all_equal(other.pop("neighbors"), table)
    chex.assert_trees_all_equal(one, other)


def test_resident_batches_are_a_function_of_seed_and_step():
  feed = feeds.Resident(
    small_set(), PROGRAM.mesh, batch_size=16, eval_batch_size=8
  )

  def rows(seed, first_step, count=4):
    found = itertools.islice(feed.train_batches(seed, first_step), count)
    return [np.asarray(batch["rows"]) for batch in found]

  whole = rows(1, 0, 8)
  chex.assert_trees_all_equal(rows(1, 2), whole[2:6])
  assert sorted(np.concatenate(whole[:3])[:40].tolist()) == list(range(40))
  for other in (rows(1, 3)[0], rows(2, 0)[0]):
    assert (other != whole[0]).any()
  last = next(itertools.islice(feed.train_batches(1, 2), 1))
  assert np.asarray(last["where"]).sum() == 40 - 2 * 16


def test_train_names_step_and_learning_rate_if_the_loss_diverges(tmp_path):
  with pytest.raises(
    FloatingPointError, match=r"at step \d+ \(.*learning_rate 1e\+30\)"
  ):
    train(tmp_path, make_program(learning_rate=1e30))


def command(workdir, *words, devices):
  """Starts the section on so many devices a process."""
  return subprocess.Popen(
    [
      sys.executable,
      "-m",
      "experiments.cifar",
      f"--config={ROOT}/configs/cifar.py:smoke,method=mixup",
      "--config.epochs=2",
      "--config.model.width=2",
      "--config.model.blocks=(1,)",
      f"--workdir={workdir}",
      *words,
    ],
    cwd=ROOT,
    env=subprocesses.environment(devices),
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
  )


def ended(process, status=0):
  """Waits for a command, and returns what it printed."""
  printed, _ = process.communicate(timeout=SECONDS)
  assert process.returncode == status, printed
  return printed


def outcome(workdir):
  rows = json.loads((workdir / "result.json").read_text())["rows"]
  return [
    row["value"]
    for row in rows
    if row["n"] and row["metric"] != "seconds a network"
  ]


@pytest.mark.slow
def test_train_of_one_process_two_and_a_resumed_one_end_alike(tmp_path):
  """The command itself: alone; as two processes; stopped and continued."""
  ended(command(tmp_path / "alone", devices=2))
  with socket.create_server(("127.0.0.1", 0)) as server:
    address = f"--coordinator=127.0.0.1:{server.getsockname()[1]}"
  both = [
    command(
      tmp_path / "both",
      address,
      "--num_processes=2",
      f"--process_id={index}",
      devices=1,
    )
    for index in range(2)
  ]
  first, second = map(ended, both)
  assert "result.json" in first and "result.json" not in second
  np.testing.assert_allclose(
    outcome(tmp_path / "both"), outcome(tmp_path / "alone"), rtol=1e-4
  )
  stopped = command(tmp_path / "stopped", devices=2)
  metrics = tmp_path / "stopped" / "mixup" / "seed_0" / "metrics.jsonl"
  deadline = time.monotonic() + SECONDS
  while time.monotonic() < deadline and stopped.poll() is None:
    if metrics.exists() and metrics.read_text():
      break
    time.sleep(0.02)
  stopped.send_signal(signal.SIGTERM)
  assert "stopped after step" in ended(stopped, 128 + signal.SIGTERM)
  ended(command(tmp_path / "stopped", devices=2))
  assert outcome(tmp_path / "stopped") == outcome(tmp_path / "alone")
