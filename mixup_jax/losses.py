"""Losses: one value an example, never reduced."""

import jax
import jax.numpy as jnp

from mixup_jax.transforms import MixedLabels

Array = jax.Array


def cross_entropy(
    logits: Array,
    targets: Array | MixedLabels,
    *,
    label_smoothing: float = 0.0,
) -> Array:
  """Computes the cross-entropy of each example, for every form of label.

      loss = -sum_c t_c log softmax(logits)_c

  where `t` is one-hot for class ids, `lam * onehot + (1 - lam) * onehot` of the
  partner for `MixedLabels`, and the targets themselves if they are floats. The
  first two never build a one-hot vector.

  Args:
    logits: `[..., classes]` of any floating-point dtype, used in float32.
    targets: `[...]` integer class ids, `MixedLabels` of such, or `[...,
      classes]` floats.
    label_smoothing: Share of the target moved to the uniform distribution.

  Returns:
    `[...]` float32 losses in nats. NaN where a class id is out of range.

  Raises:
    ValueError: If the shape of the targets does not fit the logits, or
      `label_smoothing` is not in [0, 1].

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    2: the loss of mixed targets is linear in them.
  """
  if not 0 <= label_smoothing <= 1:
    raise ValueError("label_smoothing must be from 0 to 1, got "
                     f"{label_smoothing!r}.")
  logits = logits.astype(jnp.float32)
  # Softmax does not feel the shift, but large logits would lose digits. It is
  # taken off where values are used: a shifted copy would cost a pass of memory.
  shift = jax.lax.stop_gradient(logits.max(-1))
  log_sum = jnp.log(jnp.sum(jnp.exp(logits - shift[..., None]), axis=-1))
  loss = _expected_loss(logits, shift, log_sum, targets)
  if label_smoothing:
    uniform_loss = log_sum - (logits.mean(-1) - shift)
    loss = (1 - label_smoothing) * loss + label_smoothing * uniform_loss
  return loss


def _expected_loss(logits: Array, shift: Array, log_sum: Array,
                   targets: Array | MixedLabels) -> Array:
  """Returns `[...]` sums of -t_c log p_c, for every form of target."""
  if isinstance(targets, MixedLabels):
    own = _expected_loss(logits, shift, log_sum, targets.labels)
    other = _expected_loss(logits, shift, log_sum, targets.partner_labels)
    lam = targets.lam
    lam = lam.reshape(lam.shape + (1,) * (own.ndim - lam.ndim))
    return lam * own + (1 - lam) * other
  if jnp.issubdtype(targets.dtype, jnp.integer):
    if targets.shape != logits.shape[:-1]:
      raise ValueError(f"class ids of shape {targets.shape} do not fit logits "
                       f"of shape {logits.shape}: pass one id an example, or "
                       "one-hot targets as floats.")
    logit = jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return log_sum - (logit - shift)
  if targets.shape != logits.shape:
    raise ValueError(f"soft targets of shape {targets.shape} do not fit logits "
                     f"of shape {logits.shape}: pass one number a class.")
  log_probabilities = logits - shift[..., None] - log_sum[..., None]
  return -jnp.sum(targets.astype(jnp.float32) * log_probabilities, axis=-1)
