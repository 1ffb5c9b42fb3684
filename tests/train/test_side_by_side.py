"""Tests of how many seeds are trained at a time."""

import types

import jax
import numpy as np
import pytest

from mixup_jax.train import backend
from mixup_jax.train import side_by_side

BIG, SMALL = 1_000_000, 1_000


def lower(count):
  """Lowers a program that takes about 8 kB a seed, and one that takes less."""

  def double(x):
    return 2 * x

  for size in (1_000, 10):
    yield jax.jit(double).lower(jax.ShapeDtypeStruct((count, size), "float32"))


def test_num_bytes_counts_what_goes_in_and_comes_out_and_donations_once():
  shape = jax.ShapeDtypeStruct((1_000,), "float32")
  plain = jax.jit(lambda x: x + 1).lower(shape)
  donated = jax.jit(lambda x: x + 1, donate_argnums=0).lower(shape)
  assert side_by_side.num_bytes(plain) == 8_000
  assert side_by_side.num_bytes(donated) == 4_000


def test_num_bytes_counts_what_lives_inside():
  shape = jax.ShapeDtypeStruct((100, 100), "float32")
  inside = jax.jit(lambda x: jax.numpy.sort(x)[::-1].sum()).lower(shape)
  assert side_by_side.num_bytes(inside) >= 2 * 40_000


def _failing(message):
  def fail():
    raise jax.errors.JaxRuntimeError(message)

  return types.SimpleNamespace(compile=fail)


def test_num_bytes_is_infinite_if_the_compiler_runs_out_of_memory():
  full = _failing("RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm")
  assert side_by_side.num_bytes(full) == float("inf")
  with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
    side_by_side.num_bytes(_failing("INTERNAL: a bug"))


@pytest.mark.parametrize(
  "most, limit, expected",
  ((20, BIG, 20), (20, 8 * 11_000, 5), (25, 8 * 16_000, 13), (7, SMALL, 1)),
)
def test_largest_halves_until_all_programs_fit(most, limit, expected):
  assert side_by_side.largest(most, limit, lower=lower) == expected
  if expected > 1:
    needed = max(map(side_by_side.num_bytes, lower(expected)))
    assert needed < 0.85 * limit


def _never(count):
  raise AssertionError(count)


def test_choose_keeps_the_number_of_a_cpu_and_compiles_nothing():
  assert side_by_side.choose(50, on_cpu=2, lower=_never) == 2


@pytest.mark.parametrize(
  "stats, expected",
  (
    ([{"bytes_limit": BIG}, {"bytes_limit": 100_000}], 10),
    ([{"bytes_limit": BIG}, {}], 3),
    ([None], 3),
  ),
)
def test_choose_goes_by_the_smallest_memory_and_without_one_as_a_cpu(
  monkeypatch, stats, expected
):
  devices = [types.SimpleNamespace(memory_stats=lambda x=x: x) for x in stats]
  monkeypatch.setattr(jax, "local_devices", lambda: devices)
  with backend.assumed("tpu"):
    assert side_by_side.choose(20, on_cpu=3, lower=lower) == expected


def test_choose_goes_by_the_smallest_memory_of_all_processes(monkeypatch):
  device = types.SimpleNamespace(memory_stats=lambda: {"bytes_limit": BIG})
  monkeypatch.setattr(jax, "local_devices", lambda: [device])
  monkeypatch.setattr(jax, "process_count", lambda: 2)
  monkeypatch.setattr(
    side_by_side.multihost_utils,
    "process_allgather",
    lambda limit: np.array([limit, 100_000], np.float32),
  )
  with backend.assumed("tpu"):
    assert side_by_side.choose(20, on_cpu=3, lower=lower) == 10
