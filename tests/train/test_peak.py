"""Tests of the share of the peak rate."""

import jax
import jax.numpy as jnp
import pytest

from mixup_jax import sharding
from mixup_jax.train import peak


@pytest.fixture
def known(monkeypatch):
  monkeypatch.setitem(peak.FLOPS, "cpu", 1e6)


def test_is_known_by_the_kind_of_device(monkeypatch):
  assert not peak.is_known()
  monkeypatch.setitem(peak.FLOPS, "cpu", 1e6)
  assert peak.is_known()


def test_flops_counts_all_devices_and_one_step_of_a_scan():
  mesh = sharding.make_mesh()
  x = jax.device_put(jnp.ones((16, 32)), sharding.sharded(mesh))
  y = jnp.ones((32, 32))
  assert peak.flops(jax.jit(jnp.matmul).lower(x, y)) == 2 * 16 * 32 * 32

  def several(x, y):
    return jax.lax.scan(lambda x, _: (x @ y, None), x, length=5)[0]

  once = peak.flops(jax.jit(several).lower(x, y))
  assert 2 * 16 * 32 * 32 <= once < 1.01 * 2 * 16 * 32 * 32


@pytest.mark.parametrize("cost", (None, {}))
def test_flops_is_zero_if_the_backend_counts_none(monkeypatch, cost):
  monkeypatch.setattr(jax.stages.Lowered, "cost_analysis", lambda _: cost)
  assert peak.flops(jax.jit(lambda x: x).lower(1)) == 0


def test_share_is_of_all_devices(known):
  assert peak.share(2e5, 10.0) == pytest.approx(2 / jax.device_count())
