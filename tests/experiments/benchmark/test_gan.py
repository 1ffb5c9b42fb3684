"""Tests that both sides do the work that is counted."""

import jax
import numpy as np
import pytest

from configs import gan as configs
from experiments.benchmark import __main__ as benchmark
from experiments.benchmark import gan


@pytest.fixture(name="config")
def make_config():
  config = configs.get_config()
  config.hidden, config.batch_size = (8, 8, 8), 4
  return config


def test_table_has_both_sides(config):
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  with jax.debug_key_reuse(False):  # What is timed is done again and again.
    text = gan.table(torch, config, seeds=2, turns=1)
  for word in ("ours, 2 side by side", "PyTorch, a loop", "times faster"):
    assert word in text


def test_torch_loop_trains_both_networks(config):
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  loop = gan.TorchLoop(torch, config)
  networks = loop.generator, loop.discriminator
  before = [network[0].weight.detach().clone() for network in networks]
  loop()
  for old, network in zip(before, networks):
    assert (old != network[0].weight).any()


def test_gflop_of_the_papers_sizes():
  """By hand: 2 + 512 + 512 (+ 2 or 1) times 512, twice, for each row."""
  generator, discriminator = (2 * 512 * (2 + 1024 + n) for n in (2, 1))
  rows = 128
  by_hand = 5 * (rows * generator + 3 * 2 * rows * discriminator) + rows * (
    3 * generator + 2 * discriminator
  )
  np.testing.assert_allclose(
    gan.gflop(configs.get_config()), by_hand / 1e9, rtol=1e-9
  )


def test_paper_config_changes_the_width_alone():
  config = gan.paper_config(64)
  assert config.hidden == (64, 64, 64)
  config.hidden = configs.get_config().hidden
  assert config == configs.get_config()


@pytest.mark.parametrize("name", ("seeds", "turns", "width"))
def test_main_refuses_a_count_of_zero(name, capsys):
  with pytest.raises(SystemExit):
    benchmark.main(["gan", f"--{name}=0"])
  assert f"--{name} must be at least 1, got 0" in capsys.readouterr().err
