"""Tests of what a run shows, with a clock that steps move."""

import sys

import chex
import jax
import jax.numpy as jnp
import pytest

from mixup_jax.train import peak
from mixup_jax.train import progress


class Clock:
  now = 0.0

  def __call__(self):
    return self.now


def show(clock, seconds, *, num_steps, batch_size=0):
  """Runs steps, half of whose seconds are waited for their batch."""

  def batches():
    for _ in range(num_steps):
      clock.now += seconds / 2
      yield None

  with progress.Progress(
    "erm/seed_0",
    first_step=0,
    num_steps=num_steps,
    batch_size=batch_size,
    clock=clock,
  ) as shown:
    for done, _ in enumerate(shown.waiting(batches()), start=1):
      clock.now += seconds / 2
      shown.step(done, {"loss": 1 / done})
      if done == 2:
        shown.measured(0.25, {"test/nll": 1.0, "test/error": 12.345})


def test_progress_writes_a_line_now_and_then_to_a_log(capsys):
  show(Clock(), 10.0, num_steps=4)
  assert capsys.readouterr().err.splitlines() == [
    "erm/seed_0: step 3 of 4, loss 0.333, test error 12.35 %, 0.1 steps/s, "
    "50 % waiting for data",
    "erm/seed_0: step 4 of 4, loss 0.250, test error 12.35 %, 0.1 steps/s, "
    "50 % waiting for data",
  ]


def test_progress_writes_nothing_of_a_run_that_is_over(capsys):
  show(Clock(), 10.0, num_steps=0)
  assert not capsys.readouterr().err


def test_progress_gives_the_speed_in_examples(capsys):
  show(Clock(), 0.01, num_steps=2, batch_size=128)
  assert "12,800 examples/s" in capsys.readouterr().err


def test_progress_gives_the_share_of_a_known_peak(capsys, monkeypatch):
  """4 x 4 matrices: 128 FLOP a step, a step a second, on 8 devices."""
  x = jnp.ones((4, 4))
  for peak_flops, words in (
    (None, None),
    (32.0, ", 50.0 % of the bf16 peak, "),
  ):
    if peak_flops:
      monkeypatch.setitem(peak.FLOPS, "cpu", peak_flops)
    clock = Clock()
    with progress.Progress(
      "erm/seed_0", first_step=0, num_steps=2, clock=clock
    ) as shown:
      step = shown.counting(jax.jit(jnp.matmul))
      for done in (1, 2):
        chex.assert_trees_all_equal(step(x, x), x @ x)
        clock.now += 1.0
        shown.step(done, {})
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line if words else "peak" not in line


def test_progress_counts_once_where_there_is_nothing_to_count(
  capsys, monkeypatch
):
  counts = []
  monkeypatch.setattr(peak, "is_known", lambda: True)
  monkeypatch.setattr(peak, "flops", lambda *_: counts.append(1) or 0.0)
  with progress.Progress("erm/seed_0", first_step=0, num_steps=2) as shown:
    step = shown.counting(jax.jit(lambda x: x))
    for done in (1, 2):
      shown.step(done, {"loss": step(done)})
  assert counts == [1]
  assert "peak" not in capsys.readouterr().err


def test_progress_shows_a_bar_on_a_terminal(capsys, monkeypatch):
  monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
  show(Clock(), 60.0, num_steps=3)
  shown = capsys.readouterr().err
  assert "3/3" in shown and "loss 0.250, test error 12.35 %" in shown
  assert "waiting" not in shown


@pytest.mark.parametrize("is_terminal", (True, False))
def test_progress_shows_nothing_in_other_processes(
  capsys, monkeypatch, is_terminal
):
  monkeypatch.setattr(jax, "process_index", lambda: 1)
  monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
  show(Clock(), 60.0, num_steps=3)
  assert not capsys.readouterr().err
