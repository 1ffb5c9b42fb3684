"""The algorithm of the released code in PyTorch, for comparison.

It imports no jax, nor anything of `mixup_jax` that does: its import counts.
"""

from typing import Any

import numpy as np


def mixup(torch: Any, x: Any, y: Any, alpha: float = 0.2) -> Any:
  """Mixes a batch with PyTorch, by the steps of the released code."""
  lam = float(np.random.beta(alpha, alpha))
  partner = torch.randperm(len(x))
  return lam * x + (1 - lam) * x[partner, :], y, y[partner], lam
