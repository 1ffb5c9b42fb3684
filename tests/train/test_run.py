"""Tests of a run from first to last step, with a program that counts."""

import json
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax.results import recorder
from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import preemption
from mixup_jax.train import cadence
from mixup_jax.train import peak
from mixup_jax.train import run
from mixup_jax.train import state as states

STEPS = 3  # An epoch.


def counting():
  """Returns a program whose weight becomes the sum of the batches."""

  @jax.jit
  def init(seed):
    return states.TrainState(
      step=jnp.zeros((), jnp.int32),
      params={"w": seed.astype(jnp.float32)},
      batch_stats={},
      opt_state=(),
      average={},
    )

  @jax.jit
  def step(seed, state, batch):
    del seed
    new = {"w": state.params["w"] + batch}
    return state._replace(step=state.step + 1, params=new), {
      "loss": batch,
      "error": 2 * batch,
    }

  mesh = sharding.make_mesh(jax.devices()[:1])
  return types.SimpleNamespace(init=init, step=step, mesh=mesh)


def train(workdir, asked, at_the_end=lambda: None, save_every=0.0):
  """Runs two epochs on the batches 0, 1, 2, ..."""

  def batches(first_step):
    asked.append(first_step)
    return (jnp.float32(i) for i in range(first_step, 2 * STEPS))

  def measure(state, is_last):
    if is_last:
      at_the_end()
    value = float(state.params["w"])
    return {"some/nll": 0.0, "some/error": value, "is_last": float(is_last)}

  return run.run(
    counting(),
    seed=7,
    epochs=2,
    save_every=save_every,
    steps_per_epoch=STEPS,
    batches=batches,
    measure=measure,
    workdir=workdir,
    config={},
  )


def test_run_returns_means_and_measurements_of_each_epoch(
  tmp_path, monkeypatch, capsys
):
  monkeypatch.setitem(peak.FLOPS, "cpu", 1e12)
  first, last = train(tmp_path, [])
  line = capsys.readouterr().err
  assert ": step 6 of 6" in line and "% of the bf16 peak" in line
  assert (first["step"], first["epoch"]) == (3, 1)
  assert (last["step"], last["epoch"]) == (6, 2)
  assert first["some/error"] == 7 + 0 + 1 + 2 and first["is_last"] == 0
  assert last["some/error"] == 7 + sum(range(6)) and last["is_last"] == 1
  assert first["train/loss"] == 1 and last["train/loss"] == 4
  assert last["train/error"] == 8
  assert last["train/seconds"] > 0 and last["seconds"] > 0


def test_run_measures_some_epochs_and_the_last_ten(tmp_path, monkeypatch):
  def train(workdir):
    return run.run(
      counting(),
      seed=7,
      epochs=17,
      eval_every=3,
      save_every=0,
      steps_per_epoch=2,
      batches=lambda first: (jnp.float32(i) for i in range(first, 34)),
      measure=lambda state, is_last: {"is_last": is_last},
      workdir=workdir,
      config={},
    )

  clock = iter(range(1000))
  monkeypatch.setattr(run._Clock, "seconds", lambda self: next(clock) // 2)
  lines = train(tmp_path)
  assert [line["epoch"] for line in lines] == [3, 6, *range(8, 18)]
  assert [line["is_last"] for line in lines] == [0] * 11 + [1]
  # Of the last epoch, but all the time since the line before.
  written = (tmp_path / "metrics.jsonl").read_text().splitlines()
  assert lines[1]["train/loss"] == (10 + 11) / 2
  assert sum(line["train/seconds"] for line in lines) == sum(
    line["seconds"] for line in map(json.loads, written) if "epoch" not in line
  )
  assert checkpoint.Checkpoints(tmp_path / "checkpoints").all_steps() == [
    32,
    34,
  ]
  assert train(tmp_path) == lines


def test_run_saves_by_time_and_in_the_middle_of_an_epoch(tmp_path, monkeypatch):
  saved = []
  save = checkpoint.Checkpoints.save

  def spy(self, step, *rest, **options):
    saved.append(step)
    save(self, step, *rest, **options)

  monkeypatch.setattr(checkpoint.Checkpoints, "save", spy)
  monkeypatch.setattr(cadence.Cadence, "due", lambda self, step: step == 4)
  lines = train(tmp_path / "by time", [], save_every=60.0)
  assert saved == [4, 6]
  saved.clear()
  assert train(tmp_path / "by epochs", [])[-1]["train/loss"] == 4
  assert saved == [3, 6] and lines[-1]["train/loss"] == 4


@pytest.mark.parametrize("stop", (1, STEPS, 5))
def test_run_resumes_with_the_batches_from_its_checkpoint(
  tmp_path, monkeypatch, stop
):
  asked = []
  monkeypatch.setattr(preemption, "reached", lambda done: done == stop)
  with pytest.raises(preemption.Stopped):
    train(tmp_path, asked)
  monkeypatch.setattr(preemption, "reached", lambda done: False)
  lines = train(tmp_path, asked)
  assert asked == [0, stop]
  assert lines[-1]["some/error"] == 7 + sum(range(6))
  written = (tmp_path / "metrics.jsonl").read_text().splitlines()
  losses = [json.loads(line).get("loss") for line in written]
  assert [x for x in losses if x is not None] == list(range(6))
  assert train(tmp_path, asked) == lines and asked[-1] == 2 * STEPS


def test_run_starts_no_network_after_a_notice_at_the_end_of_one(
  tmp_path, sigterm
):
  lines = train(tmp_path / "first", [], at_the_end=sigterm)
  with pytest.raises(preemption.Stopped):
    train(tmp_path / "second", [])
  assert len(lines) == 2 and not (tmp_path / "second").exists()


def test_run_refuses_metrics_that_do_not_fit_its_checkpoint(tmp_path):
  """A finished one too: its table would be of the damaged lines."""
  workdir = tmp_path / "run"
  lines = train(workdir, [])
  path = workdir / "metrics.jsonl"
  whole = path.read_bytes()
  other = tmp_path / "other"
  train(other, [])
  for damaged in (
    whole.replace(b'"loss": 1.0', b'"loss": 3.0'),
    whole[: len(whole) // 2],
    b"",
    (other / "metrics.jsonl").read_bytes(),  # Its seconds differ.
  ):
    path.write_bytes(damaged)
    with pytest.raises(OSError, match=f"{path} does not fit the checkpoint"):
      train(workdir, [])
    assert path.read_bytes() == damaged
  path.write_bytes(whole)
  assert train(workdir, []) == lines


def test_run_syncs_metrics_before_each_checkpoint(tmp_path, monkeypatch):
  events = []
  sync, save = recorder.Recorder.sync, checkpoint.Checkpoints.save

  def logged_sync(self):
    events.append("sync")
    sync(self)

  def logged_save(self, step, state, **options):
    events.append(step)
    assert options["note"]["metrics_crc32"]
    save(self, step, state, **options)

  monkeypatch.setattr(recorder.Recorder, "sync", logged_sync)
  monkeypatch.setattr(checkpoint.Checkpoints, "save", logged_save)
  train(tmp_path, [])
  assert events == ["sync", STEPS, "sync", 2 * STEPS]


def test_state_shapes_are_those_of_the_first_state():
  shapes = run.state_shapes(counting())
  state = counting().init(np.uint32(0))
  assert jax.tree.map(lambda x: (x.shape, x.dtype), shapes) == jax.tree.map(
    lambda x: (x.shape, x.dtype), state
  )
