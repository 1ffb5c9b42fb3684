"""Splits a table into training and test rows, and scales its columns."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax.data.in_memory import tables


class Split(NamedTuple):
  """The rows of a split, and the scaling of columns.

  Attributes:
    train_rows: `[train]` int32, in random order.
    test_rows: `[test]` int32, in random order.
    shift: `[columns]` float32, subtracted from the columns.
    scale: `[columns]` float32, by which the differences are divided.
    fill: `[columns]` float32, replaces missing values.
  """

  train_rows: np.ndarray
  test_rows: np.ndarray
  shift: np.ndarray
  scale: np.ndarray
  fill: np.ndarray

  def scaled(self, features: jax.Array) -> jax.Array:
    """Returns `[rows, columns]` features without missing values, scaled."""
    filled = jnp.where(jnp.isnan(features), self.fill[None], features)
    return (filled - self.shift[None]) / self.scale[None]


def split_scaled(
  table: tables.Table, *, train_fraction: float, seed: int, scaling: str
) -> Split:
  """Splits a table, and computes the scaling of its training rows.

  Args:
    table: The table, encoded.
    train_fraction: The share of rows to train on, between 0 and 1.
    seed: Determines the split.
    scaling: "standard" (zero mean, unit variance), "min_max" (to [0, 1]) or
      "none". Columns that are constant in the training rows are only shifted.

  Returns:
    The split.

  Raises:
    ValueError: If `scaling` is unknown, or a part would be empty.
  """
  tables.check_choice("scaling", scaling, ("standard", "min_max", "none"))
  train_rows, test_rows = stratified_split(
    table.labels, train_fraction=train_fraction, seed=seed
  )
  features = table.features[train_rows].astype(np.float64)
  known = np.ma.masked_invalid(features)
  fill = known.mean(0).filled(0)
  if scaling == "standard":
    shift, scale = fill, known.std(0).filled(0)
  elif scaling == "min_max":
    shift = known.min(0).filled(0)
    scale = known.max(0).filled(0) - shift
  else:
    shift, scale = np.zeros_like(fill), np.ones_like(fill)
  scale = np.where(scale > 0, scale, 1)
  return Split(
    train_rows, test_rows, *(x.astype(np.float32) for x in (shift, scale, fill))
  )


def stratified_split(
  labels: np.ndarray, *, train_fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
  """Splits rows so that every class is divided as evenly as possible.

  Unlike the splitters of scikit-learn, it takes classes with a single row, as
  in Abalone. It visits the rows class by class, in random order of both, and
  takes each row at which the share of training rows falls behind.

  Args:
    labels: `[rows]` class ids.
    train_fraction: The share of rows to train on.
    seed: Determines the split.

  Returns:
    Training and test rows, int32, each in random order. There are
    `floor(train_fraction * rows)` training rows.

  Raises:
    ValueError: If a part would be empty.
  """
  rows = len(labels)
  # The small term corrects products such as 0.29 * 100 = 28.999...
  train_size = int(np.floor(train_fraction * rows + 1e-9))
  if not 0 < train_size < rows:
    raise ValueError(
      f"train_fraction={train_fraction} leaves no rows for training "
      f"or for testing, of {rows}: choose a number between 0 and 1."
    )
  rng = np.random.default_rng(seed)
  order = rng.permutation(rows)
  class_order = rng.permutation(labels.max() + 1)
  order = order[np.argsort(class_order[labels[order]], kind="stable")]
  # Rolling the pattern gives every row the same chance. In integers it has no
  # seam, so that classes are divided evenly wherever it starts.
  quota = np.arange(rows + 1) * train_size // rows
  is_train = np.roll(np.diff(quota) > 0, rng.integers(rows))
  train_rows, test_rows = order[is_train], order[~is_train]
  return (
    rng.permutation(train_rows).astype(np.int32),
    rng.permutation(test_rows).astype(np.int32),
  )
