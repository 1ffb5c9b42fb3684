"""ResizeMix: pastes the whole partner, made smaller, into each image."""

from typing import Unpack

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _cutmix
from mixup_jax.transforms import _interpolate
from mixup_jax.transforms import _paste
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


def resizemix(
  key: Array,
  images: Array,
  targets: PyTree,
  *,
  scale: tuple[float, float] = (0.1, 0.8),
  **options: Unpack[_plan.PlanOptions],
) -> tuple[Array, PyTree]:
  """Pastes each image's partner, resized, at a random place inside the image.

      tau ~ U(scale),  1 - lam = (pasted pixels) / (pixels of the image)

  where tau is the share of each side that the resized partner has, so that lam
  is about 1 - tau^2. Unlike the box of CutMix, it always shows the object.

  Floats are resized by linear interpolation with antialiasing, in float32;
  integers, such as bytes and class ids, take the nearest pixel.

  Args:
    key: A typed PRNG key, consumed.
    images: `[batch, height, width, ...]` of any dtype, or `[batch, length]`,
      where the partner becomes an interval.
    targets: As of `cutmix`.
    scale: The least and the largest tau, in [0, 1].
    **options: `partner`, `per_example` (one size and place per example instead
      of one per batch), `group_size` (one size, each in its place),
      `probability`, `enabled` and `where`, as in `sample_mix`.

  Returns:
    The images, and the targets mixed with lam. Maps are resized and pasted as
    the images are, and stay what they are.

  Raises:
    TypeError: If images are no array, or `scale` is not made of numbers.
    ValueError: If images have no axis to resize, leading axes differ, the batch
      has fewer than two examples, or `scale` is not rising from 0 to 1.

  References:
    Qin et al., ResizeMix: Mixing Data with Preserved Object Information and
    True Labels, 2020, arXiv 2012.11101, section 3.3, with its default scale.
  """
  height, width = _paste.image_size(images)
  size = _checks.batch_size(images=images, targets=targets)
  _check_scale(scale)
  mix_key, box_key = jax.random.split(key)
  options, valid = _paste.keep_lam_shared(options, size)
  is_line = (height == 1) != (width == 1)

  def sample(k: Array, shape: tuple[int, ...]) -> Array:
    low, high = (jnp.asarray(x, jnp.float32) for x in scale)
    tau = jax.random.uniform(k, shape, jnp.float32, low, high)
    return 1 - (tau if is_line else tau**2)

  mix = _plan.draw_mix(mix_key, size, sample, **options)
  box = _cutmix.sample_box(
    box_key, mix.lam, height=height, width=width, inside=True
  )

  def place(x: Array) -> Array:
    resize = _resize if jnp.issubdtype(x.dtype, jnp.inexact) else _nearest
    shared = None if box.top.ndim == 0 else 0
    pixels = x.reshape(size, height, width, -1)
    return jax.vmap(resize, (0, shared))(pixels, box).reshape(x.shape)

  return _paste.paste(
    images,
    targets,
    mix._replace(lam=_cutmix.box_weight(box, height=height, width=width)),
    mask=_cutmix.box_mask(box, height=height, width=width),
    valid=valid,
    place=place,
  )


def _check_scale(scale: tuple[float, float]) -> None:
  """Raises unless there are two numbers that rise from 0 to 1."""
  if len(scale) != 2:
    raise ValueError(
      f"scale must be the least and the largest share, got {scale}."
    )
  advice = "it is the share of each side that a resized image has"
  for share in scale:
    _checks.check_range("scale", share, high=1, advice=advice)
  if not any(isinstance(x, jax.Array) for x in scale) and scale[0] > scale[1]:
    raise ValueError(f"scale must rise, got {scale}: {advice}.")


def _resize(image: Array, box: _cutmix.Box) -> Array:
  """Returns `[height, width, channels]`, whose box shows the whole image."""
  first = jnp.stack([box.top, box.left])
  last = jnp.stack([box.bottom, box.right])
  # An empty box is not shown, and would divide by zero.
  sides = jnp.maximum(last - first, 1).astype(jnp.float32)
  return jax.image.scale_and_translate(
    image.astype(_interpolate.wide_dtype(image.dtype)),
    image.shape,
    (0, 1),
    sides / jnp.asarray(image.shape[:2], jnp.float32),
    first.astype(jnp.float32),
    "linear",
  ).astype(image.dtype)


def _nearest(image: Array, box: _cutmix.Box) -> Array:
  """Does the same without making new values."""

  def source(first: Array, last: Array, length: int) -> Array:
    # The centre of each small pixel, as a pixel of the image.
    twice = 2 * (jnp.arange(length, dtype=jnp.int32) - first) + 1
    at = twice * length // (2 * jnp.maximum(last - first, 1))
    return jnp.clip(at, 0, length - 1)

  height, width = image.shape[:2]
  rows = source(box.top, box.bottom, height)
  columns = source(box.left, box.right, width)
  return image[rows][:, columns]
