"""Tests of one size of what grows; never how fast."""

import types

import jax
import jax.numpy as jnp

from experiments.benchmark import quantities


def test_quantities_trace_at_their_smallest_sizes():
  for quantity in quantities.QUANTITIES:
    shape, dtype = quantity.array(quantity.sizes[0])
    assert jax.eval_shape(
      quantity.function, jax.random.key(0), jnp.zeros(shape, dtype)
    )
    assert list(quantity.sizes) == sorted(set(quantity.sizes))


def test_measure_counts_the_bytes_of_a_program(square):
  found = quantities.measure("square", 16)
  assert found[quantities.BYTES] == 4 * (16 + 16**2)  # The key is not used.
  assert 0 < found[quantities.SECONDS] < 60
  assert found[quantities.PEAK] > 1e7


def test_measure_compiles_alone_above_the_longest(square):
  found = quantities.measure("square", 64)
  assert found[quantities.BYTES] >= 4 * (64 + 64**2)
  assert found[quantities.SECONDS] is None and found[quantities.PEAK] is None


def test_seconds_leave_out_the_first_of_several_calls(monkeypatch):
  ticks = iter([0.0, 1.0, 1.0, 1.25, 2.0, 2.75])  # 1 s, 0.25 s, 0.75 s.
  clock = types.SimpleNamespace(perf_counter=lambda: next(ticks))
  monkeypatch.setattr(quantities, "time", clock)  # Not the clock of pytest.
  assert quantities._seconds(lambda: None) == 0.5
  ticks = iter([0.0, 3.0])  # A long call is not repeated.
  assert quantities._seconds(lambda: None) == 3.0
