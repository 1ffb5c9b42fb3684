"""The algorithm of the released code in PyTorch, for comparison."""

from typing import Any

import numpy as np

from mixup_jax.results import Method

OFFICIAL = Method("official", "PyTorch, official algorithm")


def mixup(torch: Any, x: Any, y: Any, alpha: float = 0.2) -> Any:
  """Mixes a batch with PyTorch, by the steps of the released code."""
  lam = float(np.random.beta(alpha, alpha))
  partner = torch.randperm(len(x))
  return lam * x + (1 - lam) * x[partner, :], y, y[partner], lam
