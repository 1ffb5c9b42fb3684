"""Keeps the labels of both examples, for inputs that have lists of them."""

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


def pair_union(
  tree: PyTree, mix: _plan.Mix, *, valid: Array | None = None
) -> tuple[PyTree, Array]:
  """Puts the list of each example before that of its partner, with weights.

  A mixed image holds the objects of two: for a detector both lists of boxes and
  classes are right, and for a captioner both captions.

      mix = sample_mix(key, batch, alpha=1.5)
      images = mix_pairs(images, mix)
      boxes, weights = pair_union({"box": boxes, "id": ids}, mix, valid=valid)
      loss = (weights * losses_of(net(images), boxes)).sum()

  Args:
    tree: Any tree of `[batch, length, ...]` arrays of any dtype: lists, padded
      to a length.
    mix: The plan that inputs are mixed with.
    valid: `[batch, length]` booleans, False for what pads a list; by default
      nothing does.

  Returns:
    The tree, `[batch, 2 * length, ...]`, and `[batch, 2 * length]` float32
    weights: lam for an example's own list, 1 - lam for its partner's, and 0 for
    padding. Where lam is 1, as beside padding of the batch, the second half
    repeats the first, with weight 0.

  Raises:
    ValueError: If a leaf is no `[batch, length, ...]` array, lengths differ, or
      `valid` has another shape.
    TypeError: If `valid` is not boolean, or a leaf holds no numbers.

  References:
    Zhang et al., Bag of Freebies for Training Object Detection Neural Networks,
    2019, arXiv 1902.04103, section 3.1: lists of boxes merged under mixup, with
    Beta(1.5, 1.5).
  """
  shapes = {jnp.shape(x)[:2] for x in jax.tree.leaves(tree)}
  if len(shapes) != 1 or len(min(shapes)) < 2:
    raise ValueError(
      "lists must be [batch, length, ...] arrays of one length, got "
      f"{sorted(jnp.shape(x) for x in jax.tree.leaves(tree))}: pad them."
    )
  (shape,) = shapes
  if valid is None:
    valid = jnp.ones(shape, jnp.bool)
  if jnp.shape(valid) != shape:
    raise ValueError(
      f"valid must have the shape {shape} of the lists, got {jnp.shape(valid)}."
    )
  _checks.check_boolean("valid", valid)
  lam = jnp.broadcast_to(mix.lam, shape[:1])
  _checks.check_numbers(tree=tree)
  partners, partners_valid = _plan.partner_rows((tree, valid), mix.partner)

  def join(x: Array, partner: Array) -> Array:
    # A partner of weight 0 may be padding, and 0 * NaN is NaN.
    alone = (lam == 1).reshape(-1, *(1,) * (x.ndim - 1))
    return jnp.concatenate([x, jnp.where(alone, x, partner)], axis=1)

  weights = jnp.concatenate(
    [
      jnp.where(valid, lam[:, None], 0),
      jnp.where(partners_valid, 1 - lam[:, None], 0),
    ],
    axis=1,
  )
  return jax.tree.map(join, tree, partners), weights
