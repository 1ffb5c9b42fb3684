"""Tests of a run of a game: what it measures, and how it resumes."""

import json
import shutil

import chex
import jax
import numpy as np
import pytest

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data import toy
from mixup_jax.gan import modes
from mixup_jax.gan.run import Outcome
from mixup_jax.gan.run import play
from mixup_jax.gan.run import Run
from mixup_jax.runtime import preemption

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])
RUN = Run(
  dataset="ring",
  method=results.Method("mixup", "mixup, alpha 0.2", 0.2),
  batch="mixup",
  generator_loss="saturating",
  hidden=(8,),
  learning_rate=1e-3,
  seeds=range(2, 4),
  iterations=20,
)


@pytest.fixture(scope="module", autouse=True)
def one_device():
  with pytest.MonkeyPatch.context() as patched:
    patched.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
    yield


def play_in(workdir, run=RUN):
  return play(
    run,
    measure_every=10,
    num_points=6,
    snapshots=(5, 20),
    num_shown=7,
    workdir=workdir,
    config={},
    batch_size=4,
    discriminator_steps=2,
    num_latents=2,
  )


@pytest.fixture(scope="module")
def whole(one_device, tmp_path_factory):
  """Returns the outcome of a run that nothing disturbs."""
  return play_in(tmp_path_factory.mktemp("whole"))


def test_run_name_is_its_directory():
  run = RUN._replace(hidden=(64, 64), seeds=range(2, 5))
  assert run.name == "ring/mixup/width_64_rate_0.001/seeds_2_to_4"


def test_outcome_values_are_of_the_seeds_after_an_iteration():
  metric = modes.METRICS[0]
  lines = [
    {"step": step, metric: 0.5, f"{metric}/seed_4": step, f"{metric}/seed_5": 1}
    for step in (10, 20)
  ]
  found = Outcome(range(4, 6), lines, np.zeros(0))
  assert found.values(metric, 20) == [20, 1]
  with pytest.raises(ValueError):
    found.values(metric, 15)


def test_outcome_seconds_are_those_of_all_lines():
  lines = [{"seconds": 1.0, "train/seconds": 2.0}] * 3
  assert Outcome(range(1), lines, np.zeros(0)).seconds() == 9


def assert_same(outcome, other, seeds):
  """Compares what one outcome has of some seeds with all of the other."""
  rows = [outcome.seeds.index(seed) for seed in seeds]
  np.testing.assert_allclose(outcome.shown[rows], other.shown, atol=1e-5)
  for metric in modes.METRICS:
    for step in (10, 20):
      values = np.array(outcome.values(metric, step))[rows]
      np.testing.assert_allclose(values, other.values(metric, step), atol=1e-6)


@pytest.mark.slow
def test_play_resumes_to_the_same_outcome(whole, tmp_path, monkeypatch):
  chex.assert_shape(whole.shown, (2, 2, 7, 2))
  assert [line["step"] for line in whole.lines] == [10, 20]
  with monkeypatch.context() as patched:
    patched.setattr(preemption, "reached", lambda done: done == 10)
    with pytest.raises(preemption.Stopped):
      play_in(tmp_path)
  assert_same(whole, play_in(tmp_path), RUN.seeds)


@pytest.mark.slow
def test_play_of_a_seed_does_not_depend_on_the_others(whole, tmp_path):
  alone = play_in(tmp_path, RUN._replace(seeds=range(3, 4)))
  assert_same(whole, alone, alone.seeds)


@pytest.mark.slow
def test_play_measures_every_seed_and_their_mean(tmp_path, monkeypatch):
  asked = []

  def measure(points, centers):
    chex.assert_shape(points, (6, 2))
    chex.assert_trees_all_equal(centers, toy.GAUSSIAN_CENTERS["ring"])
    asked.append(points)
    return [float(len(asked)), 0.0, 1.0]

  monkeypatch.setattr(modes, "measure", measure)
  outcome = play_in(tmp_path)
  metric = modes.METRICS[0]
  assert outcome.values(metric, 10) == [1, 2]
  assert outcome.values(metric, 20) == [3, 4]
  assert outcome.lines[0][metric] == 1.5
  assert len({points.tobytes() for points in asked}) == 4
  lines = (tmp_path / RUN.name / "metrics.jsonl").read_text().splitlines()
  assert json.loads(lines[-1])[f"{metric}/seed_3"] == 4


@pytest.mark.slow
def test_play_names_lost_checkpoints(tmp_path, monkeypatch):
  """Those that are gone before the snapshots are read from them."""
  train = play.__globals__["train"]

  def train_and_lose(*args, **options):
    lines = train(*args, **options)
    shutil.rmtree(tmp_path / RUN.name / "checkpoints")
    return lines

  monkeypatch.setitem(play.__globals__, "train", train_and_lose)
  with pytest.raises(OSError, match="has lost its checkpoints: delete it"):
    play_in(tmp_path)
