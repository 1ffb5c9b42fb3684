"""The loss of mixed labels, 1024 x 1000: ours, and two cross-entropies."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmark import timing
from mixup_jax import losses
from mixup_jax import transforms
from mixup_jax.results import Method

_BATCH, _CLASSES, _LAM = 1024, 1000, 0.3
_TWO_LOSSES = Method("two_losses", "PyTorch, two cross-entropies")


def cases(torch: Any) -> list[timing.Case]:
  """Takes the mean loss, with its gradient and alone."""
  rng = np.random.default_rng(0)
  logits = rng.normal(size=(_BATCH, _CLASSES)).astype(np.float32)
  ids = rng.integers(0, _CLASSES, (2, _BATCH))
  mixed = transforms.MixedLabels(
    jnp.asarray(ids[0]), jnp.asarray(ids[1]), jnp.float32(_LAM)
  )
  of_torch = of_pytorch(torch, logits, ids)

  def loss(x: jax.Array, targets: Any) -> jax.Array:
    return losses.cross_entropy(x, targets).mean()

  def soft_loss(x: jax.Array, targets: transforms.MixedLabels) -> jax.Array:
    return loss(x, targets.soft(_CLASSES))

  def both(x: jax.Array, targets: Any) -> tuple[jax.Array, jax.Array]:
    value, gradient = jax.value_and_grad(loss)(x, targets)
    return gradient, value

  on_device = jnp.asarray(logits)

  def call(function: Any) -> timing.Thunk:
    jitted = jax.jit(function)
    return lambda: jitted(on_device, mixed)

  gradient = call(both)
  return [
    timing.Case(
      "loss of MixedLabels", gradient, _TWO_LOSSES, of_torch(True), 0.2
    ),
    timing.Case(
      "loss of MixedLabels, donated output",
      timing.into_donated(both, on_device, mixed),
      _TWO_LOSSES,
      of_torch(True),
      0.2,
    ),
    timing.Case(
      "loss of MixedLabels, without gradient",
      call(loss),
      _TWO_LOSSES,
      of_torch(False),
      0.2,
    ),
    timing.Case(
      "loss of MixedLabels, beside soft labels",
      gradient,
      Method("soft_labels", "one-hot labels, mixed"),
      call(jax.value_and_grad(soft_loss)),
      0.5,
    ),
  ]


def of_pytorch(torch: Any, logits: np.ndarray, ids: np.ndarray) -> Any:
  """Returns a function that makes the other side, with a gradient or not."""
  torch_logits = torch.from_numpy(logits).requires_grad_()
  own, other = torch.from_numpy(ids)
  entropy = torch.nn.functional.cross_entropy

  def mean_loss() -> Any:
    own_loss, other_loss = (entropy(torch_logits, y) for y in (own, other))
    return _LAM * own_loss + (1 - _LAM) * other_loss

  def with_gradient() -> Any:
    torch_logits.grad = None
    loss = mean_loss()
    loss.backward()
    return loss.item()

  def alone() -> Any:
    with torch.no_grad():
      return mean_loss().item()

  return lambda gradient: with_gradient if gradient else alone


def table(torch: Any, **options: Any) -> tuple[str, list[timing.Measured]]:
  """Measures the losses; returns a line for each case, and its times."""
  measured = timing.measure(cases(torch), **options)
  return timing.table(measured), measured
