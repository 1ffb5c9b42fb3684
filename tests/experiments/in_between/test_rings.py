"""Proves that mixup is unsure where ERM is not, and what is refused."""

import jax
import numpy as np
import pytest

from configs import in_between as configs
from experiments.in_between import rings


def config(**changes):
  values = configs.get_config("smoke").rings
  values.update({"hidden": (32, 32), "learning_rate": 1e-2, "pixels": 25})
  values.update(changes)
  return values


def test_mixup_is_unsure_between_the_rings():
  values = config()
  with jax.transfer_guard("disallow"):
    result = rings.run(values, rings.prepare(values))
  erm, mixup = result["rows"]
  assert erm["n"] == mixup["n"] == 2 and erm["paper"] is None
  assert 0 < erm["value"] < 20 < mixup["value"] - 5
  plane = result["plane"]
  assert [len(points) for points in plane["points"]] == [102, 256]
  for lines in plane["percent"].values():
    percent = np.array([line.split() for line in lines], int)
    assert percent.shape == (25, 25)
    # Class 1 is inside: at the centre, and at no corner.
    assert percent[12, 12] > 85 and percent[::24, ::24].max() < 15


def test_maps_stand_upright():
  values = config(pixels=3, seeds=1)
  points = np.array([[0.0, 1.0], [0.0, -1.0]], np.float32)
  cloud = np.repeat(points, 50, 0), np.repeat(np.array([1, 0], np.int32), 50)
  lines = rings.run(values, [cloud])["plane"]["percent"]["ERM"]
  # The last line is that of the greatest y, where class 1 is.
  assert int(lines[2].split()[1]) > 90 and int(lines[0].split()[1]) < 10


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"seeds": 0}, "config.rings.seeds must be at least 1, got 0"),
    ({"steps": 0}, "config.rings.steps must be at least 1, got 0"),
    ({"alpha": -1.0}, "alpha must be .* got -1"),
    ({"ratio": 2.0}, "ratio must be .* got 2.0"),
  ],
)
def test_bad_configs_are_refused(changes, message):
  with pytest.raises(ValueError, match=message):
    rings.prepare(config(**changes))


def test_a_loss_that_is_not_finite_is_told():
  values = config(learning_rate=float("inf"), steps=3)
  with pytest.raises(FloatingPointError, match="config.rings.learning_rate"):
    rings.run(values, rings.prepare(values))
