"""How a program makes inputs of a batch, on the devices: of either feed."""

import functools
import math
from typing import Any, Callable, NamedTuple

import jax
import jax.numpy as jnp

from mixup_jax import transforms
from mixup_jax.data import augment
from mixup_jax.data.in_memory import images
from mixup_jax.train.step import Batch
from mixup_jax.train.step import Normalize
from mixup_jax.train.step import Prepare

Array = jax.Array
PyTree = Any


class Inputs(NamedTuple):
  """How a program makes inputs and targets of a batch, on the devices.

  Attributes:
    example: The shape and dtype of the model's input, `[1, ...]`.
    prepare: Takes a key and a batch; returns raw inputs and targets for
      training, augmented.
    normalize: Makes floats of raw inputs.
    fetch: Takes a batch; returns inputs of the model and labels, as they are
      evaluated.
  """

  example: jax.ShapeDtypeStruct
  prepare: Prepare
  normalize: Normalize
  fetch: Callable[[Batch], tuple[PyTree, Array]]


def flat(images: Any) -> Any:
  """Returns images as `[images, values]`, as `resident` has them in a batch.

  A TPU keeps these in the layout that it gathers rows from. Of images it makes
  such a copy, of the whole set, at each dispatch.
  """
  return images.reshape(len(images), math.prod(images.shape[1:]))


def resident(data: images.ImageSet) -> Inputs:
  """Returns how inputs are made of rows of images, augmented on the devices.

  Args:
    data: The set; only its shapes and constants are used.

  Returns:
    The inputs of a program that `Resident` feeds.
  """
  normalize = functools.partial(augment.normalize, mean=data.mean, std=data.std)
  shape = data.train_images.shape[1:]

  def images_at(batch: Batch, rows: Array) -> Array:
    return batch["images"][rows].reshape(*rows.shape, *shape)

  def prepare(key: Array, batch: Batch) -> tuple[Array, Array]:
    rows = batch["rows"]
    if "neighbors" in batch:
      key, draw_key = jax.random.split(key)
      partner = transforms.draw_neighbors(draw_key, batch["neighbors"][rows])
      # Example and partner alternate: so a pair stays on its device.
      rows = jnp.stack([rows, partner], axis=1).reshape(-1)
    crop_key, flip_key = jax.random.split(key)
    pixels = augment.random_crop(
      crop_key, images_at(batch, rows), padding=data.pad
    )
    if data.flip:
      pixels = augment.random_flip(flip_key, pixels)
    return pixels, batch["labels"][rows]

  def fetch(batch: Batch) -> tuple[Array, Array]:
    rows = batch["rows"]
    return normalize(images_at(batch, rows)), batch["labels"][rows]

  example = jax.eval_shape(normalize, data.train_images[:1])
  return Inputs(example, prepare, normalize, fetch)


def streamed(
  image_size: int, *, mean: tuple[float, ...], std: tuple[float, ...]
) -> Inputs:
  """Returns how inputs are made of streamed images, augmented on the hosts.

  Args:
    image_size: Height and width of the images.
    mean: For each channel what normalisation subtracts, of pixels in [0, 1].
    std: For each channel what it divides by.

  Returns:
    The inputs of a program that `Streamed` feeds.
  """
  normalize = functools.partial(augment.normalize, mean=mean, std=std)

  def prepare(key: Array, batch: Batch) -> tuple[Array, Array]:
    del key  # Crops and flips were drawn on the host.
    return batch["images"], batch["labels"]

  def fetch(batch: Batch) -> tuple[Array, Array]:
    return normalize(batch["images"]), batch["labels"]

  shape = (1, image_size, image_size, len(mean))
  example = jax.ShapeDtypeStruct(shape, jnp.float32)
  return Inputs(example, prepare, normalize, fetch)
