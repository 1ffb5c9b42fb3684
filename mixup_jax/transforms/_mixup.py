"""mixup: convex combinations of pairs of examples and of their targets."""

from typing import Callable, NamedTuple, Unpack

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _mix

Array = jax.Array
PyTree = _mix.PyTree


class MixedLabels(NamedTuple):
  """Two class ids and a weight: a mixed label without the one-hot vector.

  Attributes:
    labels: `[batch, ...]` integers, the class ids of the examples.
    partner_labels: `[batch, ...]` integers, those of their partners.
    lam: `[]` or `[batch]` float32, the weight of `labels`.
  """

  labels: Array
  partner_labels: Array
  lam: Array

  def soft(self, num_classes: int) -> Array:
    """Returns the same labels as `[batch, ..., num_classes]` float32."""
    own, other = (
      jax.nn.one_hot(ids, num_classes, dtype=jnp.float32)
      for ids in (self.labels, self.partner_labels)
    )
    return interpolate(own, other, self.lam)


def mixup(
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  normalize: Callable[[PyTree], PyTree] | None = None,
  **options: Unpack[_mix.MixOptions],
) -> tuple[PyTree, PyTree]:
  """Mixes a batch with a random permutation of itself.

      inputs  = lam * inputs  + (1 - lam) * inputs[partner]
      targets = lam * targets + (1 - lam) * targets[partner]

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` floating-point arrays, or of any that
      `normalize` takes.
    targets: Any tree of `[batch, ...]` arrays: class ids (integers), or floats
      (one-hot, multi-label, regression).
    alpha: Concentration of lam ~ Beta(alpha, alpha); 0 is ERM. May be traced.
    normalize: Makes floats of inputs, and of partners once they are fetched:
      bytes are a quarter of what else moves between devices, and in memory.
    **options: `partner`, `per_example`, `fold`, `probability`, `enabled` and
      `where`, as in `sample_mix`.

  Returns:
    The mixed inputs, in their own dtypes, and the mixed targets: floats in
    their own dtypes, integers as `MixedLabels`.

  Raises:
    TypeError: If inputs are not floating point, or `alpha` is not a number.
    ValueError: If leading axes differ, the batch has fewer than two examples,
      or `alpha` is negative.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, eq. 2.
  """
  mix = _mix.sample_mix(
    key, _checks.batch_size((inputs, targets)), alpha=alpha, **options
  )
  partners = _mix.partner_rows(inputs, mix.partner)
  if normalize is not None:
    inputs, partners = normalize(inputs), normalize(partners)
  return interpolate(inputs, partners, mix.lam), mix_targets(targets, mix)


def mix_pairs(tree: PyTree, mix: _mix.Mix) -> PyTree:
  """Mixes every leaf with its partner: lam * x + (1 - lam) * x[partner].

  Args:
    tree: Any tree of `[batch, ...]` floating-point arrays.
    mix: The plan, drawn by `sample_mix` or made by hand.

  Returns:
    The mixed tree, shapes and dtypes unchanged.

  Raises:
    TypeError: If a leaf is not floating point.
  """
  return interpolate(tree, _mix.partner_rows(tree, mix.partner), mix.lam)


def mix_targets(targets: PyTree, mix: _mix.Mix) -> PyTree:
  """Mixes targets: floats like inputs, class ids into `MixedLabels`.

  Args:
    targets: Any tree of `[batch, ...]` arrays of floats or integers.
    mix: The plan.

  Returns:
    The tree with floats mixed and every integer leaf replaced by `MixedLabels`.

  Raises:
    TypeError: If a leaf is boolean, or mixed already.
  """

  def mix_leaf(x: Array, partner_x: Array) -> Array | MixedLabels:
    if jnp.issubdtype(x.dtype, jnp.integer):
      return MixedLabels(x, partner_x, mix.lam)
    return interpolate(x, partner_x, mix.lam)

  def is_mixed(x: object) -> bool:
    return isinstance(x, MixedLabels)

  if any(is_mixed(x) for x in jax.tree.leaves(targets, is_leaf=is_mixed)):
    raise TypeError(
      "these targets are mixed already: apply one transform, or "
      "pass one-hot targets to apply several."
    )
  partner_targets = _mix.partner_rows(targets, mix.partner)
  return jax.tree.map(mix_leaf, targets, partner_targets)


def interpolate(a: PyTree, b: PyTree, lam: jax.typing.ArrayLike) -> PyTree:
  """Returns lam * a + (1 - lam) * b, for partners that come from elsewhere.

  Args:
    a: Any tree of floating-point arrays `[batch, ...]`.
    b: A tree of the same structure, shapes and dtypes.
    lam: `[]` or `[batch]`, the weight of `a`. At 1 the result is exactly `a`.

  Returns:
    The tree of combinations, computed in float32 or wider, in the dtypes of
    `a`.

  Raises:
    TypeError: If a leaf of `a` is not floating point.
    ValueError: If the shapes of two leaves differ.
  """
  lam = jnp.asarray(lam, jnp.float32)

  def combine(x: Array, y: Array) -> Array:
    x, y = jnp.asarray(x), jnp.asarray(y)
    if not jnp.issubdtype(x.dtype, jnp.inexact):
      raise TypeError(
        f"cannot interpolate {x.dtype.name} values of shape {x.shape}: make "
        "inputs floats (normalise images first) and multi-label targets one "
        "float a class; integer class ids belong in `targets`."
      )
    if x.shape != y.shape:
      raise ValueError(
        f"cannot interpolate shapes {x.shape} and {y.shape}: "
        "every example needs a partner of its own shape."
      )
    # bfloat16 and float16 would round lam itself to two or three digits.
    dtype = x.dtype if x.dtype.itemsize >= 4 else jnp.float32
    weight = lam.reshape(lam.shape + (1,) * (x.ndim - lam.ndim)).astype(dtype)
    mixed = weight * x.astype(dtype) + (1 - weight) * y.astype(dtype)
    return mixed.astype(x.dtype)

  return jax.tree.map(combine, a, b)
