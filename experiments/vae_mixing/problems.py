"""The sets, tables and images alike, with one split a seed."""

import math
from typing import Any, NamedTuple

import jax
import numpy as np

from mixup_jax.data import splits
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import tables
from mixup_jax.train import sweep


class Source(NamedTuple):
  """A set that is ready to be trained on.

  Attributes:
    problem: Examples, in whatever shape the classifier takes, and splits.
    picture: The height, width and channels of an example, () of a table.
    white: The value of a white pixel.
  """

  problem: sweep.Problem
  picture: tuple[int, ...]
  white: float


def load(config: Any, name: str) -> Source:
  """Loads a set, and splits it once a seed.

  Args:
    config: The config.
    name: One of `images.IMAGE_SETS` or `tables.TABLES`.

  Returns:
    The source, with `config.num_train` training examples if that is not 0.

  Raises:
    ValueError: If there is no such set, or the split leaves nothing.
    FileNotFoundError: If it has not been prepared.
  """
  made = _images if name in images.IMAGE_SETS else _table
  source = made(config, name)
  rows = source.problem.splits.train_rows
  if config.num_train > rows.shape[1]:
    raise ValueError(
      f"config.num_train={config.num_train}, but {name} has "
      f"{rows.shape[1]} training examples: 0 takes all."
    )
  kept = source.problem.splits._replace(
    train_rows=rows[:, : config.num_train or None]
  )
  return source._replace(problem=source.problem._replace(splits=kept))


def take(problem: sweep.Problem, seeds: slice) -> sweep.Problem:
  """Returns the same set with the splits of some seeds."""
  return problem._replace(
    splits=jax.tree.map(lambda x: x[seeds], problem.splits)
  )


def _table(config: Any, name: str) -> Source:
  """Loads a table, with splits and scales as in section 3.6."""
  table = tables.encode(
    tables.load(name, config.data_dir or None),
    categorical=config.categorical,
    missing=config.missing,
  )
  problem = sweep.split_problem(
    table,
    num_seeds=config.seeds,
    first_seed=config.first_seed,
    train_fraction=config.train_fraction,
    scaling=config.scaling,
  )
  return Source(problem, (), 0.0)


def _images(config: Any, name: str) -> Source:
  """Loads images, split anew for each seed or, with the share 0, as they come.

  All pixels of a channel have one scale: on its own each of the pixels that are
  nearly always black would be noise.
  """
  data = images.load(name, config.data_dir or None)
  pixels = np.concatenate([data.train_images, data.test_images])
  labels = np.concatenate([data.train_labels, data.test_labels])
  shape = pixels.shape[1:]
  shift, scale = (
    np.broadcast_to(255 * np.asarray(x, np.float32), shape)
    for x in (data.mean, data.std)
  )
  if config.model.name == "mlp":
    size = math.prod(shape)
    pixels = pixels.reshape(-1, size)
    shift, scale = shift.reshape(size), scale.reshape(size)
  known = len(data.train_labels)
  each = []
  for seed in range(config.first_seed, config.first_seed + config.seeds):
    rows = (
      np.arange(known, dtype=np.int32),
      np.arange(known, len(labels), dtype=np.int32),
    )
    if config.train_fraction:
      rows = splits.stratified_split(
        labels, train_fraction=config.train_fraction, seed=seed
      )
    each.append(splits.Split(*rows, shift, scale, np.zeros_like(shift)))
  stacked = jax.tree.map(lambda *x: np.stack(x), *each)
  return Source(
    sweep.Problem(pixels, labels, stacked, data.num_classes), shape, 255.0
  )
