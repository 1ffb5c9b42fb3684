"""Tests of the learning rates that configs name."""

import functools

import jax
import numpy as np
import pytest

from mixup_jax.train import schedules


def rates(schedule, steps):
  with jax.numpy_dtype_promotion("standard"):  # As the training step does.
    return np.asarray([schedule(np.int32(step)) for step in steps])


def test_step_decay_drops_at_its_steps():
  rate = schedules.step_decay(0.1, steps=(100, 150), factor=0.1)
  rates = [float(rate(step)) for step in (0, 99, 100, 149, 150, 999)]
  np.testing.assert_allclose(
    rates, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rtol=1e-5
  )


@pytest.mark.parametrize("steps", ((3, 2), (2, 2)))
def test_step_decay_refuses_steps_that_do_not_rise(steps):
  with pytest.raises(ValueError, match="do not rise: put them in order"):
    schedules.step_decay(0.1, steps=steps, factor=0.1)


def test_make_schedule_step_counts_epochs():
  schedule = schedules.make_schedule(
    "step",
    0.4,
    epochs=90,
    steps_per_epoch=10,
    decay_epochs=(30, 60.26),
    decay_factor=0.1,
    warmup_epochs=5,
    warmup_from=0.1,
  )
  expected = schedules.step_decay(
    0.4, steps=(300, 603), factor=0.1, warmup_steps=50, warmup_from=0.1
  )
  steps = (0, 25, 49, 50, 299, 300, 602, 603, 900)
  np.testing.assert_array_equal(rates(schedule, steps), rates(expected, steps))


def test_make_schedule_cosine_falls_to_zero():
  schedule = schedules.make_schedule(
    "cosine", 0.4, epochs=5, steps_per_epoch=20
  )
  steps = np.arange(101)
  np.testing.assert_allclose(
    rates(schedule, steps), 0.2 * (1 + np.cos(np.pi * steps / 100)), atol=1e-7
  )


def test_make_schedule_cosine_begins_after_the_warm_up():
  schedule = schedules.make_schedule(
    "cosine",
    0.4,
    epochs=6,
    steps_per_epoch=20,
    warmup_epochs=1,
    warmup_from=0.1,
  )
  np.testing.assert_allclose(
    rates(schedule, (0, 10, 20, 70, 120, 999)),
    [0.1, 0.25, 0.4, 0.2, 0, 0],
    atol=1e-7,
  )


def test_make_schedule_refuses_unknown_names_and_long_warm_ups():
  make = functools.partial(
    schedules.make_schedule, epochs=5, steps_per_epoch=20
  )
  with pytest.raises(
    ValueError, match="schedule 'cos': choose one of step, co"
  ):
    make("cos", 0.1)
  for name in ("cosine", "step"):
    with pytest.raises(ValueError, match="of 5 epochs leaves none of 5"):
      make(name, 0.1, warmup_epochs=5)
    make(name, 0.1, warmup_epochs=4.9)
  with pytest.raises(ValueError, match="do not rise: put them in order"):
    make("step", 0.1, decay_epochs=(2, 1))


def test_step_decay_warms_up_linearly():
  rate = schedules.step_decay(
    0.4, steps=(30,), factor=0.1, warmup_steps=5, warmup_from=0.1
  )
  with jax.numpy_dtype_promotion("standard"):
    rates = [float(rate(step)) for step in (0, 1, 4, 5, 29, 30)]
  np.testing.assert_allclose(
    rates, [0.1, 0.16, 0.34, 0.4, 0.4, 0.04], rtol=1e-5
  )
