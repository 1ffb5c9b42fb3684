"""Tests of the official algorithm that ours is compared with."""

import pytest

from experiments.benchmark import official


def test_mixup_mixes_each_row_with_the_partner_of_its_label():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  x = torch.arange(12.0).reshape(4, 3)
  mixed, y, partner_y, lam = official.mixup(torch, x, torch.arange(4))
  assert torch.allclose(mixed, lam * x[y] + (1 - lam) * x[partner_y])
