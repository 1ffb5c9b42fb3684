"""Augments batches of uint8 images, and normalises them to floats.

As in the paper's code, the order is crop, flip, normalise: the zeros around an
image are black pixels, not means.
"""

from typing import Sequence

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array


def random_crop(key: Array, images: Array, *, padding: int) -> Array:
  """Crops each image at random from a copy padded with zeros on each side.

  In other words, it shifts each image by up to `padding` pixels along each
  axis, and fills with zeros.

  Args:
    key: A typed PRNG key, consumed.
    images: `[batch, height, width, channels]`.
    padding: The largest shift, in pixels.

  Returns:
    Images of the same shape and dtype.

  Raises:
    ValueError: If the padding is negative.
  """
  if padding < 0:
    raise ValueError(f"padding ({padding}) must be at least 0, which is none.")
  batch, height, width, _ = images.shape
  shifts = jax.random.randint(
    key, (2, batch, 1), -padding, padding + 1, jnp.int32
  )
  rows = shifts[0] + jnp.arange(height, dtype=jnp.int32)[None]
  columns = shifts[1] + jnp.arange(width, dtype=jnp.int32)[None]

  # A gather inside the image, then a mask: twice as fast on a CPU as a slice of
  # the padded image, or as a gather with a fill value.
  def gather(image: Array, y: Array, x: Array) -> Array:
    return image.at[y[:, None], x[None]].get(mode="promise_in_bounds")

  cropped = jax.vmap(gather)(
    images, jnp.clip(rows, 0, height - 1), jnp.clip(columns, 0, width - 1)
  )
  is_row = (rows >= 0) & (rows < height)
  is_column = (columns >= 0) & (columns < width)
  inside = is_row[:, :, None, None] & is_column[:, None, :, None]
  return jnp.where(inside, cropped, 0)


def random_flip(key: Array, images: Array) -> Array:
  """Mirrors each image, left to right, with probability 1/2.

  Args:
    key: A typed PRNG key, consumed.
    images: `[batch, height, width, channels]`.

  Returns:
    Images of the same shape and dtype.
  """
  batch, _, width, _ = images.shape
  flip = jax.random.bernoulli(key, jnp.float32(0.5), (batch, 1))
  columns = jnp.arange(width, dtype=jnp.int32)[None]
  columns = jnp.where(flip, width - 1 - columns, columns)

  # A gather fuses with that of the crop, which a reversal does not.
  def gather(image: Array, x: Array) -> Array:
    return image.at[:, x].get(mode="promise_in_bounds")

  return jax.vmap(gather)(images, columns)


def normalize(
  images: Array, *, mean: Sequence[float], std: Sequence[float]
) -> Array:
  """Scales pixels to [0, 1], and then standardises each channel.

  Args:
    images: `[batch, height, width, channels]` uint8.
    mean: The mean of each channel, for pixels in [0, 1].
    std: The standard deviation of each channel, for pixels in [0, 1].

  Returns:
    float32 images of the same shape.

  Raises:
    ValueError: If the images are not uint8, or `mean` and `std` do not have one
      number per channel.
  """
  if images.dtype != jnp.uint8:
    raise ValueError(
      f"images are {images.dtype}, expected uint8 from 0 to 255:"
      " normalize once, before any other arithmetic."
    )
  return standardize(images.astype(jnp.float32), mean=mean, std=std)


def standardize(
  pixels: Array, *, mean: Sequence[float], std: Sequence[float]
) -> Array:
  """Normalises pixels that are floats already, as `normalize` does.

  Args:
    pixels: `[batch, height, width, channels]` float32 from 0 to 255.
    mean: The mean of each channel, for pixels in [0, 1].
    std: The standard deviation of each channel, for pixels in [0, 1].

  Returns:
    float32 images of the same shape.

  Raises:
    ValueError: If `mean` and `std` do not have one number per channel.
  """
  channels = pixels.shape[-1]
  if not len(mean) == len(std) == channels:
    raise ValueError(
      f"mean has {len(mean)} numbers and std {len(std)}: give "
      f"one for each of the {channels} channels."
    )
  shift, scale = (
    np.asarray(x, np.float32)[None, None, None] for x in (mean, std)
  )
  return (pixels / 255 - shift) / scale
