"""Sets with a split for each seed, for runs that train seeds side by side."""

import math
from typing import Iterable, NamedTuple

import jax
import numpy as np

from mixup_jax.data import splits
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import tables


class Problem(NamedTuple):
  """A set on the host, and one split of it for each seed.

  Attributes:
    features: `[rows, ...]` float32, NaN where missing, or uint8 pixels.
    labels: `[rows]` int32 class ids.
    splits: The splits, stacked: every leaf is `[seeds, ...]`.
    num_classes: The number of classes.
    image_shape: Height, width and channels of an image, `()` for a table.
    name: The name of the set, for messages.
  """

  features: np.ndarray
  labels: np.ndarray
  splits: splits.Split
  num_classes: int
  image_shape: tuple[int, ...] = ()
  name: str = ""

  def take(self, seeds: slice) -> "Problem":
    """Returns the same set with the splits of some seeds."""
    return self._replace(splits=jax.tree.map(lambda x: x[seeds], self.splits))

  def example(self) -> jax.ShapeDtypeStruct:
    """Returns the shape of one row, scaled, as a network takes it."""
    return jax.ShapeDtypeStruct((1, *self.features.shape[1:]), np.float32)

  def overlap(self) -> float:
    """Returns the test rows for each training row; 0 if all splits are one."""
    train, test = self.splits.train_rows, self.splits.test_rows
    differ = (train != train[:1]).any()
    return test.shape[1] / train.shape[1] if differ else 0.0

  def limit(self, num_train: int) -> "Problem":
    """Returns the same set with the first training rows of each split."""
    rows = self.splits.train_rows[:, :num_train]
    return self._replace(splits=self.splits._replace(train_rows=rows))


def split_table(
  table: tables.Table,
  *,
  seeds: Iterable[int],
  train_fraction: float,
  scaling: str,
) -> Problem:
  """Splits a table once a seed.

  Args:
    table: The table, encoded.
    seeds: The seeds, one a split.
    train_fraction: As in `splits.split_scaled`; so is the last.
    scaling: How columns are scaled.

  Returns:
    The problem.

  Raises:
    ValueError: If an option is none of those known, or a part would be empty.
  """
  each = [
    splits.split_scaled(
      table, train_fraction=train_fraction, seed=seed, scaling=scaling
    )
    for seed in seeds
  ]
  return Problem(
    table.features,
    table.labels,
    _stack(each),
    table.num_classes,
    name=table.name,
  )


def split_images(
  data: images.ImageSet,
  *,
  seeds: Iterable[int],
  train_fraction: float,
  flat: bool,
) -> Problem:
  """Splits images once a seed.

  All pixels of a channel have one scale, that of the set: on its own, each of
  the pixels that are nearly always black would be noise.

  Args:
    data: The set; training and test images are put together.
    seeds: The seeds, one a split.
    train_fraction: The share of images to train on, stratified; 0 keeps the
      split of the set.
    flat: Whether an example is a vector of pixels instead of an image.

  Returns:
    The problem.

  Raises:
    ValueError: If a part would be empty.
  """
  pixels = np.concatenate([data.train_images, data.test_images])
  labels = np.concatenate([data.train_labels, data.test_labels])
  image_shape = pixels.shape[1:]
  shape = (math.prod(image_shape),) if flat else image_shape
  shift, scale = (
    np.broadcast_to(255 * np.asarray(x, np.float32), image_shape).reshape(shape)
    for x in (data.mean, data.std)
  )
  rows = np.arange(len(labels), dtype=np.int32)
  own = np.split(rows, [len(data.train_labels)])
  each = []
  for seed in seeds:
    train_rows, test_rows = (
      splits.stratified_split(labels, train_fraction=train_fraction, seed=seed)
      if train_fraction
      else own
    )
    each.append(
      splits.Split(train_rows, test_rows, shift, scale, np.zeros_like(shift))
    )
  return Problem(
    pixels.reshape(-1, *shape),
    labels,
    _stack(each),
    data.num_classes,
    image_shape,
    data.name,
  )


def _stack(each: list[splits.Split]) -> splits.Split:
  """Stacks splits: every leaf becomes `[seeds, ...]`."""
  return jax.tree.map(lambda *x: np.stack(x), *each)
