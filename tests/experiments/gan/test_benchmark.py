"""Proves that both sides of the benchmark do the work that is counted."""

import jax
import numpy as np
import pytest

from configs import gan as configs
from experiments.gan import benchmark


@pytest.fixture(name="config")
def make_config():
  config = configs.get_config()
  config.hidden, config.batch_size = (8, 8, 8), 4
  return config


def test_the_table_is_filled(config):
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  with jax.debug_key_reuse(False):  # What is timed is done again and again.
    text = benchmark.table(torch, config, seeds=2, turns=1)
  for word in ("ours, 2 side by side", "PyTorch, a loop", "times faster"):
    assert word in text


def test_both_networks_learn_in_pytorch(config):
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  loop = benchmark.TorchLoop(torch, config)
  networks = loop.generator, loop.discriminator
  before = [network[0].weight.detach().clone() for network in networks]
  loop()
  for old, network in zip(before, networks):
    assert (old != network[0].weight).any()


def test_the_work_of_the_papers_sizes():
  """By hand: 2 + 512 + 512 (+ 2 or 1) times 512, twice, for each row."""
  generator, discriminator = (2 * 512 * (2 + 1024 + n) for n in (2, 1))
  rows = 128
  by_hand = 5 * (rows * generator + 3 * 2 * rows * discriminator) + rows * (
    3 * generator + 2 * discriminator
  )
  np.testing.assert_allclose(
    benchmark.gflop(configs.get_config()), by_hand / 1e9, rtol=1e-9
  )


def test_what_is_refused():
  with pytest.raises(SystemExit, match="--seeds must be at least 1, got 0"):
    benchmark.main(["--seeds=0"])
