"""Convex combinations of trees of arrays, and of class ids."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _ids
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree

_OF_BOOLEANS = (
  "convert multi-label targets to one float per class, and mix sequences that "
  "have a mask of padding by `mix_padded`."
)
_OF_INTEGERS = (
  "convert inputs to floats (normalise images first); integer ids, of classes "
  "or of examples, belong in `targets`."
)


def interpolate(a: PyTree, b: PyTree, lam: jax.typing.ArrayLike) -> PyTree:
  """Returns `lam * a + (1 - lam) * b`, for partners from another batch.

  Args:
    a: Any tree of floating-point arrays `[batch, ...]`.
    b: A tree of the same structure, shapes and dtypes.
    lam: `[]` or `[batch]`, the weight of `a`. At 1 the result is exactly `a`,
      even if `b` is not finite.

  Returns:
    The tree of combinations, computed in float32 or wider, in the dtypes of
    `a`.

  Raises:
    TypeError: If a leaf of `a` is not floating point.
    ValueError: If the shapes of two leaves differ.
  """
  lam = jnp.asarray(lam, jnp.float32)

  _checks.check_numbers(a=a, b=b)

  def combine(path: Any, x: Array, y: Array) -> Array:
    x, y = jnp.asarray(x), jnp.asarray(y)
    if not jnp.issubdtype(x.dtype, jnp.inexact):
      remedy = _OF_BOOLEANS if x.dtype == jnp.bool else _OF_INTEGERS
      raise TypeError(
        f"cannot interpolate {x.dtype.name} values of shape {x.shape}"
        f"{_checks.at(path)}: {remedy}"
      )
    if x.shape != y.shape:
      raise ValueError(
        f"cannot interpolate shapes {x.shape} and {y.shape}: "
        "every example needs a partner of the same shape."
      )
    dtype = wide_dtype(x.dtype)
    weight = lam.reshape(lam.shape + (1,) * (x.ndim - lam.ndim)).astype(dtype)
    # A partner of weight 0 may be padding, and 0 * NaN is NaN.
    y = jnp.where(weight == 1, 0, y.astype(dtype))
    mixed = weight * x.astype(dtype) + (1 - weight) * y
    return mixed.astype(x.dtype)

  return jax.tree_util.tree_map_with_path(combine, a, b)


def wide_dtype(dtype: Any) -> Any:
  """Returns the dtype to compute in: float32 at least.

  bfloat16 and float16 would round lam itself to two or three digits.
  """
  return dtype if dtype.itemsize >= 4 else jnp.float32


class MixedLabels(NamedTuple):
  """Two class ids and a weight: a mixed label without a one-hot vector.

  Attributes:
    labels: `[batch, ...]` integers, the class ids of the examples.
    partner_labels: `[batch, ...]` integers, those of their partners.
    lam: `[batch]` float32, the weight of `labels`. It has one entry per example
      even if all share a weight, so that a batch can be split.
  """

  labels: Array
  partner_labels: Array
  lam: Array

  def soft(self, num_classes: int) -> Array:
    """Returns soft targets, `[batch, ..., num_classes]` float32.

    They are NaN where a class id is out of range.
    """
    own, other = (
      _ids.one_hot(ids, num_classes)
      for ids in (self.labels, self.partner_labels)
    )
    return interpolate(own, other, self.lam)


def mix_pairs(tree: PyTree, mix: _plan.Mix) -> PyTree:
  """Mixes every leaf with its partner: `lam * x + (1 - lam) * x[partner]`.

  Args:
    tree: Any tree of `[batch, ...]` floating-point arrays.
    mix: The plan, drawn by `sample_mix` or built by hand.

  Returns:
    The mixed tree, shapes and dtypes unchanged.

  Raises:
    TypeError: If a leaf is not floating point.
  """
  return interpolate(tree, _plan.partner_rows(tree, mix.partner), mix.lam)


def mix_targets(targets: PyTree, mix: _plan.Mix) -> PyTree:
  """Mixes targets: floats like inputs, class ids into `MixedLabels`.

  Mixed floats have the mean of the losses of both where a loss is linear in
  them: cross-entropy, and for multi-label targets, one float of 0 or 1 a class,
  `optax.sigmoid_binary_cross_entropy`.

  Integers may also be numbers of rows, by which all else is looked up that
  belongs to the examples of a mix, such as their names:

      row = jnp.arange(batch)
      inputs, targets = mixup(key, inputs, {"label": labels, "row": row}, ...)
      names[targets["row"].labels], names[targets["row"].partner_labels]

  Args:
    targets: Any tree of `[batch, ...]` arrays of floats or integers.
    mix: The plan.

  Returns:
    The tree with floats mixed and every integer leaf replaced by `MixedLabels`.

  Raises:
    TypeError: If a leaf is boolean, holds no numbers, or is mixed already.
  """

  def mix_leaf(x: Array, partner_x: Array) -> Array | MixedLabels:
    if jnp.issubdtype(x.dtype, jnp.integer):
      lam = jnp.broadcast_to(jnp.asarray(mix.lam, jnp.float32), x.shape[:1])
      return MixedLabels(x, partner_x, lam)
    return interpolate(x, partner_x, mix.lam)

  check_unmixed(targets)
  partner_targets = _plan.partner_rows(targets, mix.partner)
  return jax.tree.map(mix_leaf, targets, partner_targets)


def check_unmixed(targets: PyTree) -> None:
  """Raises TypeError if a leaf is mixed already."""

  def is_mixed(x: object) -> bool:
    return isinstance(x, MixedLabels)

  if any(is_mixed(x) for x in jax.tree.leaves(targets, is_leaf=is_mixed)):
    raise TypeError(
      "these targets are mixed already: apply one transform, or "
      "pass one-hot targets to apply several."
    )
