"""Losses: one value per example, never reduced."""

import functools
from typing import Callable

import jax
import jax.numpy as jnp

from mixup_jax import transforms

Array = jax.Array
Targets = Array | transforms.MixedLabels | transforms.CleanAndMixed


def cross_entropy(
  logits: Array,
  targets: Targets,
  *,
  label_smoothing: float = 0.0,
  ignore: int | None = None,
) -> Array:
  """Computes the cross-entropy of each example, for every kind of label.

      loss = -sum_c t_c log softmax(logits)_c

  where `t` is one-hot for class ids, `lam * onehot + (1 - lam) * onehot` of the
  partner for `MixedLabels`, and the targets themselves if they are floats. The
  first two never build a one-hot vector. For `CleanAndMixed` it is the loss of
  each example plus eta times that of its mix. Floats need not sum to 1: pass
  `targets.soft(classes) * class_weights` to weigh classes.

  Args:
    logits: `[..., classes]` of any floating-point dtype, used in float32.
    targets: `[...]` integer class ids, `MixedLabels` of such, `[..., classes]`
      floats, or `CleanAndMixed`, for `[2 * batch, ..., classes]` logits.
    label_smoothing: Share of the target moved to the uniform distribution.
    ignore: A class id that is none, such as 255 for void pixels, whose loss is
      0: divide the sum by that of `label_weights`, not by the number.

  Returns:
    `[...]` float32 losses in nats, one for each example. NaN where a class id
    is out of range. A class of weight 0 contributes nothing, even if its logit
    is -inf.

  Raises:
    ValueError: If the shape of the targets does not match the logits, there is
      only one class, a class id of a NumPy array is out of range,
      `label_smoothing` is not in [0, 1], or targets are floats, of which
      `ignore` is none.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    2: the loss of mixed targets is linear in them.
  """
  if not 0 <= label_smoothing <= 1:
    raise ValueError(
      f"label_smoothing must be from 0 to 1, got {label_smoothing!r}."
    )
  if isinstance(targets, transforms.CleanAndMixed):
    of = functools.partial(
      cross_entropy, label_smoothing=label_smoothing, ignore=ignore
    )
    clean_logits, mixed_logits = _clean_and_mixed(logits, targets)
    mixed = of(mixed_logits, targets.mixed)
    return of(clean_logits, targets.clean) + _weighted(targets.eta, mixed)
  logits = logits.astype(jnp.float32)
  # Softmax is invariant to the shift, but large logits would lose digits. It is
  # subtracted where values are used: a shifted copy costs a pass over memory.
  shift = jax.lax.stop_gradient(logits.max(-1))
  log_sum = jnp.log(jnp.sum(jnp.exp(logits - shift[..., None]), axis=-1))

  def of_ids(ids: Array) -> Array:
    index = jnp.asarray(ids)[..., None]
    logit = jnp.take_along_axis(logits, index, axis=-1, mode="clip")[..., 0]
    return log_sum - (logit - shift)

  def of_classes() -> Array:
    return log_sum[..., None] - (logits - shift[..., None])

  loss = _expectation(targets, logits.shape, of_ids, of_classes, ignore)
  if label_smoothing:
    uniform_loss = log_sum - (logits.mean(-1) - shift)
    if ignore is not None:
      counted = label_weights(targets, ignore=ignore)
      uniform_loss = _weighted(counted, uniform_loss)
    loss = (1 - label_smoothing) * loss + label_smoothing * uniform_loss
  return loss


def zero_one(
  logits: Array, targets: Targets, *, ignore: int | None = None
) -> Array:
  """Computes the 0-1 loss of each example, for every kind of label.

      loss = sum_c t_c [c is not the most probable class]

  with `t` as in `cross_entropy`. For `MixedLabels` it is the error weighted by
  lam, the training error under mixup; for `CleanAndMixed` that of the examples
  as they are.

  Args:
    logits: `[..., classes]` of any floating-point dtype.
    targets: As in `cross_entropy`.
    ignore: As in `cross_entropy`.

  Returns:
    `[...]` float32 losses, from 0 to 1 if the targets are probabilities. NaN
    where a logit is NaN, or a class id is out of range.

  Raises:
    ValueError: As in `cross_entropy`.
  """
  if isinstance(targets, transforms.CleanAndMixed):
    clean_logits, _ = _clean_and_mixed(logits, targets)
    return zero_one(clean_logits, targets.clean, ignore=ignore)
  predicted = jnp.argmax(logits, axis=-1)
  # NaN counts as the largest logit, and would be a prediction like any other.
  is_number = ~jnp.isnan(logits).any(axis=-1)

  def of_ids(ids: Array) -> Array:
    return (ids.astype(predicted.dtype) != predicted).astype(jnp.float32)

  def of_classes() -> Array:
    return 1 - jax.nn.one_hot(predicted, logits.shape[-1])

  loss = _expectation(targets, logits.shape, of_ids, of_classes, ignore)
  return transforms.nan_unless(is_number, loss)


def label_weights(targets: Targets, *, ignore: int) -> Array:
  """Returns the share of each label that counts, for means over the others.

      loss = cross_entropy(logits, targets, ignore=255)
      mean = loss.sum() / label_weights(targets, ignore=255).sum()

  Args:
    targets: `[...]` integer class ids, `MixedLabels` or `CleanAndMixed` of
      such.
    ignore: The class id that does not count.

  Returns:
    `[...]` float32: 1 where an id counts and 0 where it does not; of mixed
    labels weighted by lam, and for `CleanAndMixed` 1 + eta at most.

  Raises:
    ValueError: If targets are floats.
  """
  of = functools.partial(label_weights, ignore=ignore)
  if isinstance(targets, transforms.CleanAndMixed):
    return of(targets.clean) + _weighted(targets.eta, of(targets.mixed))
  if isinstance(targets, transforms.MixedLabels):
    own, other = of(targets.labels), of(targets.partner_labels)
    return _weighted(targets.lam, own) + _weighted(1 - targets.lam, other)
  if not jnp.issubdtype(targets.dtype, jnp.integer):
    raise ValueError(
      f"ignore={ignore} is a class id, but targets of shape {targets.shape} "
      f"are {targets.dtype}: pass ids, or weigh the losses by a mask."
    )
  return jnp.asarray(targets != ignore, jnp.float32)


def _clean_and_mixed(
  logits: Array, targets: transforms.CleanAndMixed
) -> tuple[Array, Array]:
  """Returns the logits of the examples, and those of their mixes."""
  batch = len(targets.eta)
  if len(logits) != 2 * batch:
    raise ValueError(
      f"logits of shape {logits.shape} do not match {batch} examples and "
      "their mixes: pass two rows an example, as regmixup returns them."
    )
  both = logits.reshape(batch, 2, *logits.shape[1:])
  return both[:, 0], both[:, 1]


def _expectation(
  targets: Array | transforms.MixedLabels,
  shape: tuple[int, ...],
  of_ids: Callable[[Array], Array],
  of_classes: Callable[[], Array],
  ignore: int | None = None,
) -> Array:
  """Returns the mean of a loss under the targets.

  Args:
    targets: As in `cross_entropy`.
    shape: The shape of the logits, `[..., classes]`.
    of_ids: The loss of class ids, `[...]` to `[...]`.
    of_classes: The losses of every class, `[..., classes]`.
    ignore: The class id whose loss is 0.
  """
  if isinstance(targets, transforms.MixedLabels):
    own, other = (
      _expectation(labels, shape, of_ids, of_classes, ignore)
      for labels in (targets.labels, targets.partner_labels)
    )
    lam = targets.lam
    return _weighted(lam, own) + _weighted(1 - lam, other)
  if ignore is not None:
    counted = label_weights(targets, ignore=ignore)
    ids = targets * (targets != ignore).astype(targets.dtype)
    return _weighted(counted, _expectation(ids, shape, of_ids, of_classes))
  transforms.check_num_classes(shape[-1])
  if jnp.issubdtype(targets.dtype, jnp.integer):
    if targets.shape != shape[:-1]:
      raise ValueError(
        f"class ids of shape {targets.shape} do not match logits "
        f"of shape {shape}: pass one id per example, or one-hot "
        "targets as floats."
      )
    valid = transforms.in_range(targets, size=shape[-1], name="class ids")
    return transforms.nan_unless(valid, of_ids(targets))
  if targets.shape != shape:
    raise ValueError(
      f"soft targets of shape {targets.shape} do not match logits "
      f"of shape {shape}: pass one number per class."
    )
  return _weighted(targets.astype(jnp.float32), of_classes()).sum(axis=-1)


def _weighted(weight: Array, loss: Array) -> Array:
  """Returns the product: 0 where the weight is, also of an infinite loss.

  Each weight is that of an example, or of a part of it.
  """
  weight = weight.reshape(weight.shape + (1,) * (loss.ndim - weight.ndim))
  return weight * jnp.where(weight == 0, 0, loss)
