"""Tests of the PyTorch networks that ours are compared with."""

import json

import numpy as np
import pytest

from experiments.benchmark import torch_networks
from tests.models import torch_vectors


@pytest.fixture
def torch():
  return pytest.importorskip("torch", reason="needs the benchmark extra")


@pytest.mark.parametrize(
  "variant, count",
  (("author", 11_171_146), ("official", 11_171_274), ("modern", 11_172_170)),
)
def test_preact_resnet_has_the_parameters_of_each_variant(
  torch, variant, count
):
  with torch.device("meta"):
    network = torch_networks.preact_resnet(torch, variant=variant)
  assert sum(p.numel() for p in network.parameters()) == count


def test_wide_resnet_28_10_has_its_parameters(torch):
  with torch.device("meta"):
    network = torch_networks.wide_resnet(torch)
  assert sum(p.numel() for p in network.parameters()) == 36_479_194


def test_preact_resnet_and_wide_resnet_have_their_initial_values(torch):
  network = torch_networks.preact_resnet(torch, width=16)
  scale = network.stage4_block2.norm2.weight
  assert 0 <= scale.min() < 0.1 and 0.9 < scale.max() <= 1
  kernel = network.stage4_block2.conv2.weight
  assert 0.99 < kernel.abs().max() * (9 * 128) ** 0.5 <= 1
  wide = torch_networks.wide_resnet(torch, depth=10, width=2)
  kernel = wide.stage3_block1.conv2.weight
  assert abs(kernel.std() * (9 * 128 / 2) ** 0.5 - 1) < 0.05
  assert not wide.head.bias.any()


@pytest.mark.parametrize("case", torch_vectors.CASES)
def test_torch_vectors_are_those_of_pytorch(torch, case):
  """Our networks are tested against the stored ones."""
  stored = json.loads(torch_vectors.PATH.read_text())[case]
  fresh = torch_vectors.compute(torch, case)
  for mode in ("train", "eval"):
    np.testing.assert_allclose(fresh[mode], stored[mode], rtol=1e-5, atol=1e-5)
