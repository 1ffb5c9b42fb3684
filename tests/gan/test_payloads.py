"""Tests of the payloads of figures: points of a run, and maps of runs."""

import numpy as np
import pytest

from mixup_jax import results
from mixup_jax.gan import modes
from mixup_jax.gan import payloads
from mixup_jax.gan.run import Outcome
from mixup_jax.gan.run import Run
from mixup_jax.results import encoding

MIXUP = results.Method("mixup", "mixup, alpha 0.2", 0.2)


def make_run(**changes):
  run = Run(
    dataset="ring",
    method=MIXUP,
    batch="mixup",
    generator_loss="saturating",
    hidden=(8, 8),
    learning_rate=1e-3,
    seeds=range(1, 3),
    iterations=200,
  )
  return run._replace(**changes)


def outcome(run):
  """Returns points at (seed, snapshot); width times rate, plus seed, modes."""
  covered = run.hidden[0] * run.learning_rate
  line = {
    f"{modes.METRICS[0]}/seed_{seed}": covered + seed for seed in run.seeds
  }
  place = np.stack(np.meshgrid(run.seeds, np.arange(2), indexing="ij"), -1)
  shown = np.tile(place[:, :, None, :], (1, 1, 4, 1)).astype(np.float32)
  return Outcome(run.seeds, [{"step": run.iterations, **line}], shown)


def test_snapshots_are_of_the_first_seed_beside_the_data():
  runs = [make_run(), make_run(seeds=range(3, 5))]
  outcomes = {run.name: outcome(run) for run in runs}
  (found,) = payloads.snapshots(runs, outcomes, iterations=(10, 200))
  assert (found["method"], found["key"]) == (MIXUP.label, MIXUP.key)
  assert found["setting"] == "ring" and found["iterations"] == [10, 200]
  for index, text in enumerate(found["fake"]):
    np.testing.assert_allclose(
      encoding.decode_points(text), np.tile([[1.0, index]], (4, 1))
    )
  real = encoding.decode_points(found["real"])
  assert real.shape == (4, 2)
  np.testing.assert_allclose(np.linalg.norm(real, axis=1), 1, atol=0.05)


@pytest.mark.parametrize("iterations, left", [((10, 500), 0), ((500, 10), 1)])
def test_snapshots_after_the_end_of_a_run_are_left_out(iterations, left):
  run = make_run()
  (found,) = payloads.snapshots(
    [run], {run.name: outcome(run)}, iterations=iterations
  )
  assert found["iterations"] == [10]
  (text,) = found["fake"]
  np.testing.assert_allclose(encoding.decode_points(text)[0], [1, left])


def test_snapshots_of_failed_runs_are_left_out():
  runs = [make_run(), make_run(dataset="grid")]
  outcomes = {runs[1].name: outcome(runs[1])}
  (found,) = payloads.snapshots(runs, outcomes, iterations=(10, 200))
  assert found["setting"] == "grid"


def test_heat_maps_place_runs_and_leave_holes_where_they_failed():
  runs = [
    make_run(
      method=results.ERM,
      hidden=(width,) * 3,
      learning_rate=rate,
      seeds=range(2),
      iterations=3_000,
    )
    for width in (8, 16)
    for rate in (1e-3, 1e-2, 1e-1)
  ]
  outcomes = {run.name: outcome(run) for run in runs[:-1]}
  (found,) = payloads.heat_maps(runs, outcomes)
  assert found["columns"] == [1e-3, 1e-2, 1e-1]
  assert found["lines"] == [8, 16] and found["limits"] == [0, 8]
  assert found["setting"] == "ring, after 3,000 iterations"
  assert found["metric"] == "modes covered, of 8"
  assert (found["x"], found["y"]) == ("learning rate", "width")
  np.testing.assert_allclose(
    np.array(found["values"], float),
    [[0.508, 0.58, 1.3], [0.516, 0.66, np.nan]],
  )


def test_heat_maps_are_one_for_each_data_set_and_method():
  runs = [
    make_run(dataset=dataset, method=method)
    for dataset in ("grid", "ring")
    for method in (results.ERM, MIXUP)
  ]
  outcomes = {run.name: outcome(run) for run in runs}
  found = payloads.heat_maps(runs, outcomes)
  assert [each["key"] for each in found] == ["erm", "mixup"] * 2
  assert [each["method"] for each in found[:2]] == ["ERM", MIXUP.label]
  assert [each["limits"][1] for each in found] == [25, 25, 8, 8]
