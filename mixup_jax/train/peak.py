"""The share of its published peak at which a step computes."""

from typing import Any

import jax

# FLOP/s of what jax calls a device, in bfloat16 without sparsity, as its maker
# states them; by the name that jax gives its kind.
FLOPS = {
  "NVIDIA A100-SXM4-80GB": 312e12,
  "NVIDIA H100 80GB HBM3": 989e12,
  "NVIDIA H200": 989e12,
  "TPU v4": 275e12,
  "TPU v5 lite": 197e12,
  "TPU v5": 459e12,
  "TPU v6 lite": 918e12,
  "TPU7x": 2307e12 / 2,  # A chip is two devices.
}


def is_known() -> bool:
  """Returns whether the peak of the devices at hand is known."""
  return jax.devices()[0].device_kind in FLOPS


def flops(lowered: jax.stages.Lowered) -> float:
  """Counts the FLOP of a step, on all devices together.

  XLA counts them before compilation, as what a GPU leaves to cuDNN is not
  counted after it. A scan counts as one of its steps.

  Args:
    lowered: The step, lowered for its arguments.

  Returns:
    The number of floating-point operations; 0 if the backend counts none.
  """
  cost: Any = lowered.cost_analysis()
  return (cost or {}).get("flops", 0.0)


def share(flops: float, rate: float) -> float:
  """Returns the share of the peak of all devices.

  Args:
    flops: Of a step, on all devices together.
    rate: Steps per second.

  Returns:
    The share, from 0 to 1.
  """
  peak = FLOPS[jax.devices()[0].device_kind] * jax.device_count()
  return flops * rate / peak
