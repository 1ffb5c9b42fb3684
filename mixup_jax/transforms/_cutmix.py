"""CutMix: replaces a box of each image by the same box of its partner."""

from typing import NamedTuple, Unpack

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _paste
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


class Box(NamedTuple):
  """Rows `top <= y < bottom` and columns `left <= x < right`, int32 each."""

  top: Array
  left: Array
  bottom: Array
  right: Array


def cutmix(
  key: Array,
  images: Array,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  **options: Unpack[_plan.MixOptions],
) -> tuple[Array, PyTree]:
  """Pastes a random box of each image's partner, and mixes targets by its area.

  It copies pixels instead of averaging them, so images may have any dtype.

  Args:
    key: A typed PRNG key, consumed.
    images: `[batch, height, width, ...]` of any dtype, or `[batch, length]`, of
      which an interval is replaced.
    targets: Any tree of `[batch, ...]` arrays: class ids (integers), floats
      (one-hot, multi-label, regression), or maps `[batch, height, width, ...]`
      of any dtype, such as a class id a pixel; of `[batch, length]` inputs,
      integers `[batch, length]` are maps.
    alpha: Concentration of lam ~ Beta(alpha, alpha), where 1 - lam is the share
      of the image that the box covers before clipping; 0 is ERM.
    **options: `partner`, `per_example` (one box per example instead of one per
      batch), `group_size` (boxes of one area, each in its place), `fold`,
      `probability`, `enabled` and `where`, as in `sample_mix`.

  Returns:
    The images, and the targets mixed with lam = 1 - (pasted pixels) / (pixels
    of the image). Maps are pasted as the images are, and stay what they are.

  Raises:
    TypeError: If images are no array, or `alpha` is not a number.
    ValueError: If images have no axis to cut, leading axes differ, the batch
      has fewer than two examples, or `alpha` is negative.

  References:
    Yun et al., CutMix, ICCV 2019, section 3.1.
  """
  height, width = _paste.image_size(images)
  size = _checks.batch_size(images=images, targets=targets)
  mix_key, box_key = jax.random.split(key)
  options, valid = _paste.keep_lam_shared(options, size)
  mix = _plan.sample_mix(mix_key, size, alpha=alpha, **options)
  box = sample_box(box_key, mix.lam, height=height, width=width)
  return _paste.paste(
    images,
    targets,
    mix._replace(lam=box_weight(box, height=height, width=width)),
    mask=box_mask(box, height=height, width=width),
    valid=valid,
  )


def sample_box(
  key: Array, lam: Array, *, height: int, width: int, inside: bool = False
) -> Box:
  """Draws boxes of relative area 1 - lam, centred uniformly, then clipped.

  Args:
    key: A typed PRNG key, consumed.
    lam: `[...]` float32 in [0, 1]. At 1 the box is empty.
    height: Image height in pixels.
    width: Image width in pixels.
    inside: Whether boxes are placed uniformly among the places wholly inside
      the image instead, so that none is clipped.

  Returns:
    A box of `[...]` int32 edges inside the image. Its area may be smaller than
    1 - lam: sides are rounded down, and clipped at the border. If one axis has
    a single pixel, the box is an interval of the other axis.

  References:
    Yun et al., CutMix, ICCV 2019, eq. 2.
  """
  is_line = (height == 1) != (width == 1)
  side = 1 - lam if is_line else jnp.sqrt(1 - lam)
  y_key, x_key = jax.random.split(key)

  def edges(k: Array, length: int) -> tuple[Array, Array]:
    if is_line and length == 1:
      return jnp.zeros(lam.shape, jnp.int32), jnp.ones(lam.shape, jnp.int32)
    cut = (length * side).astype(jnp.int32)
    if inside:
      start = jax.random.randint(k, lam.shape, 0, length - cut + 1, jnp.int32)
      return start, start + cut
    start = jax.random.randint(k, lam.shape, 0, length, jnp.int32) - cut // 2
    return jnp.clip(start, 0, length), jnp.clip(start + cut, 0, length)

  (top, bottom), (left, right) = edges(y_key, height), edges(x_key, width)
  return Box(top, left, bottom, right)


def box_weight(box: Box, *, height: int, width: int) -> Array:
  """Returns the share of the pixels outside the box, `[...]` float32."""
  area = (box.bottom - box.top) * (box.right - box.left)
  return 1 - area.astype(jnp.float32) / (height * width)


def box_mask(box: Box, *, height: int, width: int) -> Array:
  """Returns `[..., height, width]` booleans, True inside the box.

  Args:
    box: Edges of shape `[...]`.
    height: Image height in pixels.
    width: Image width in pixels.

  Returns:
    `[..., height, width]` booleans.
  """
  edges = Box(*(jnp.expand_dims(edge, (-2, -1)) for edge in box))
  shape = (1,) * box.top.ndim
  y = jnp.arange(height, dtype=jnp.int32).reshape(shape + (height, 1))
  x = jnp.arange(width, dtype=jnp.int32).reshape(shape + (1, width))
  inside_y = (y >= edges.top) & (y < edges.bottom)
  return inside_y & (x >= edges.left) & (x < edges.right)
