"""Pastes pixels of partners under a mask, and mixes targets to match."""

from typing import Any, Callable

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _interpolate
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


def image_size(images: Array) -> tuple[int, int]:
  """Returns the height and width of images, (1, length) of rows.

  Raises:
    TypeError: If images are no array, but a tree of several.
    ValueError: If images have no axis to paste along, or no pixels.
  """
  _checks.check_array("images", images)
  if images.ndim < 2:
    raise ValueError(
      "images must be [batch, height, width, ...] or [batch, length], got "
      f"shape {images.shape}: use mixup for inputs without such an axis."
    )
  if 0 in images.shape[1:3]:
    raise ValueError(
      f"images have no pixels, got shape {images.shape}: check how the batch "
      "was cut out of the set."
    )
  height, width = images.shape[1:3] if images.ndim > 2 else (1, images.shape[1])
  return height, width


def keep_lam_shared(options: Any, size: int) -> tuple[Any, Array | None]:
  """Takes the mask of padding out of options that also give partners.

  As weights it would make one lam an example, and draw one mask an example.

  Args:
    options: Those of the transform.
    size: The number of examples.

  Returns:
    The options for the plan, and `[batch]` booleans, False for those whose
    partner is padding; None if the plan itself avoids such pairs.
  """
  where, partner = options.get("where"), options.get("partner")
  _checks.check_where(where, size)
  if where is None or partner is None:
    return options, None
  return {**options, "where": None}, _plan.partner_rows(where, partner)


def paste(
  images: Array,
  targets: PyTree,
  mix: _plan.Mix,
  *,
  mask: Array,
  valid: Array | None,
  place: Callable[[Array], Array] = lambda x: x,
) -> tuple[Array, PyTree]:
  """Replaces pixels under the mask by those of partners.

  Args:
    images: `[batch, height, width, ...]` or `[batch, length]`, of any dtype.
    targets: Any tree of `[batch, ...]` arrays.
    mix: The plan; lam is the share of the pixels that are not under the mask.
    mask: `[height, width]` or `[batch, height, width]` booleans, True for
      pixels of the partner.
    valid: From `keep_lam_shared`.
    place: Moves pixels of the partners, `[batch, height, width, ...]`.

  Returns:
    The images, and the targets: maps are pasted, all others mixed with lam.
  """
  axes = min(images.ndim, 3)
  mask = mask.reshape(-1, *images.shape[1:axes])
  if valid is not None:
    mask &= valid.reshape(-1, *(1,) * (axes - 1))
    mix = mix._replace(lam=jnp.where(valid, mix.lam, 1))
  _interpolate.check_unmixed(targets)

  def paste_leaf(x: Array) -> Array:
    partners = place(_plan.partner_rows(x, mix.partner))
    return jnp.where(
      mask.reshape(mask.shape + (1,) * (x.ndim - axes)), partners, x
    )

  def mix_leaf(x: Array) -> Any:
    # Of rows, float maps cannot be told from one number a class.
    is_map = x.shape[:axes] == images.shape[:axes] and (
      axes == 3 or not jnp.issubdtype(x.dtype, jnp.inexact)
    )
    return paste_leaf(x) if is_map else _interpolate.mix_targets(x, mix)

  return paste_leaf(images), jax.tree.map(mix_leaf, targets)
