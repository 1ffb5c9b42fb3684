"""Tests of the decision surfaces of ERM and mixup on two rings."""

import jax
import numpy as np

from mixup_jax import models
from mixup_jax.data import toy
from mixup_jax.evaluation import decision_surface
from mixup_jax.train import optim


def make_program(pixels=25):
  return decision_surface.make_program(
    models.build("mlp", num_classes=2, hidden=(32, 32)),
    optim.build("adam", learning_rate=1e-2),
    num_steps=200,
    limit=1.2,
    pixels=pixels,
  )


def test_learn_makes_mixup_uncertain_between_the_rings():
  clouds = [
    toy.sample_rings(seed, inner=256, outer=102, ratio=0.3, noise=0.05)
    for seed in range(2)
  ]
  program = make_program()
  with jax.transfer_guard("disallow"):
    surfaces, losses = decision_surface.learn(program, (0.0, 1.0), clouds)
  assert surfaces.shape == (2, 2, 25, 25) and losses.shape == (2, 2)
  erm, mixup = decision_surface.uncertain_area(surfaces).mean(1)
  assert 0 < erm < 20 < mixup - 5
  # Class 1 is inside: at the centre, and at no corner.
  assert surfaces[..., 12, 12].min() > 0.85
  assert surfaces[..., ::24, ::24].max() < 0.15
  # Each seed has a cloud and weights of its own.
  again, _ = decision_surface.learn(program, (0.0, 1.0), clouds[:1])
  np.testing.assert_array_equal(again[:, 0], surfaces[:, 0])
  assert (surfaces[:, 0] != surfaces[:, 1]).any()


def test_learn_returns_maps_that_stand_upright():
  points = np.array([[0.0, 1.0], [0.0, -1.0]], np.float32)
  cloud = np.repeat(points, 50, 0), np.repeat(np.array([1, 0], np.int32), 50)
  surfaces, _ = decision_surface.learn(make_program(3), (0.0,), [cloud])
  # The last line is that of the greatest y, where class 1 is.
  assert surfaces[0, 0, 2, 1] > 0.9 and surfaces[0, 0, 0, 1] < 0.1


def test_uncertain_area_by_hand():
  maps = np.array([[[0.1, 0.5], [0.89, 0.9]], [[0.0, 1.0], [0.2, 0.95]]])
  np.testing.assert_allclose(decision_surface.uncertain_area(maps), [50, 25])


def test_as_plane_is_short_text():
  points = np.array([[0.0, 1.0], [0.25, -1.0], [0.12345, 0.0]], np.float32)
  plane = decision_surface.as_plane(
    (points, np.array([1, 0, 0])),
    {"ERM": np.array([[0.004, 0.006], [0.5, 1.0]])},
    limit=1.2,
  )
  assert plane["points"] == [["0.250 -1.000", "0.123 0.000"], ["0.000 1.000"]]
  assert plane["percent"] == {"ERM": ["0 1", "50 100"]}
  assert plane["limit"] == 1.2
