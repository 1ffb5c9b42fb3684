"""Tables in memory: loading, encoding, splitting, scaling."""

import difflib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import sklearn.datasets

TABLES = ("abalone", "arcene", "arrhythmia", "htru2", "iris",
          "phishing_websites", "website_phishing")


class Table(NamedTuple):
  """A table of numbers with a class for each row, on the host.

  Attributes:
    name: Its name.
    features: `[rows, columns]` float32, NaN where a value is missing.
    labels: `[rows]` int32 class ids.
    num_classes: The number of classes.
    categories: For each column its number of categories, 0 if it is a number.
  """
  name: str
  features: np.ndarray
  labels: np.ndarray
  num_classes: int
  categories: tuple[int, ...]


class Split(NamedTuple):
  """Which rows train and which test, and how columns are scaled.

  Attributes:
    train_rows: `[train]` int32, in random order.
    test_rows: `[test]` int32, in random order.
    shift: `[columns]` float32, subtracted first.
    scale: `[columns]` float32, divided by then.
    fill: `[columns]` float32, stands in for missing values.
  """
  train_rows: np.ndarray
  test_rows: np.ndarray
  shift: np.ndarray
  scale: np.ndarray
  fill: np.ndarray

  def scaled(self, features: jax.Array) -> jax.Array:
    """Fills in and scales `[rows, columns]` features, on the device."""
    filled = jnp.where(jnp.isnan(features), self.fill[None], features)
    return (filled - self.shift[None]) / self.scale[None]


def load(name: str, data_dir: str | None = None) -> Table:
  """Loads a table: Iris from scikit-learn, others as they were prepared.

  Args:
    name: One of `TABLES`.
    data_dir: Where prepared sets are; None is the default of TFDS.

  Returns:
    The table; splits of the set, if it has several, are put together.

  Raises:
    ValueError: If there is no such table.
    FileNotFoundError: If it has not been prepared; the message names the
      command that does it.
  """
  if name not in TABLES:
    close = difflib.get_close_matches(name, TABLES, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"unknown table {name!r}.{hint} Known are "
                     f"{', '.join(TABLES)}.")
  if name == "iris":
    iris = sklearn.datasets.load_iris()
    return Table(name, iris.data.astype(np.float32),
                 iris.target.astype(np.int32), 3, (0,) * 4)
  return _load_prepared(name, data_dir)


def _load_prepared(name: str, data_dir: str | None) -> Table:
  """Loads a prepared table through TFDS."""
  from mixup_jax.data import uci  # Only now: the import takes a second.
  builder = uci.Uci(config=name, data_dir=data_dir)
  if not builder.is_prepared():
    raise FileNotFoundError(
        f"{name} is not prepared in {builder.data_dir}. To download it:\n"
        f"  python -m mixup_jax.data.prepare {name}\n"
        "or, from files that you have:\n"
        f"  python -m mixup_jax.data.prepare {name} --raw DIR")
  examples = []
  for split in builder.builder_config.files:
    source = builder.as_data_source(split)
    examples += source.__getitems__(range(len(source)))
  features = np.stack([example["features"] for example in examples])
  labels = np.asarray([example["label"] for example in examples], np.int32)
  categories = builder.builder_config.categories
  return Table(
      name, features, labels, len(builder.builder_config.classes),
      tuple(
          len(categories.get(column, ()))
          for column in range(features.shape[1])))


def encode(table: Table, *, categorical: str, missing: str) -> Table:
  """Turns categories into numbers, and decides about missing values.

  Args:
    table: The table.
    categorical: "one_hot" gives each category a column of 0 and 1, "ordinal"
      keeps the code as a number, "drop" leaves such columns out.
    missing: "mean" keeps missing values, to be filled with the mean of the
      training rows; "drop" leaves columns with missing values out.

  Returns:
    A table without categorical columns.

  Raises:
    ValueError: If an option is none of these, or no column is left.
  """
  _check_choice("categorical", categorical, ("one_hot", "ordinal", "drop"))
  _check_choice("missing", missing, ("mean", "drop"))
  columns = []
  for column, count in zip(table.features.T, table.categories):
    if missing == "drop" and np.isnan(column).any():
      continue
    if not count or categorical == "ordinal":
      columns.append(column)
    elif categorical == "one_hot":
      columns += [(column == code).astype(np.float32) for code in range(count)]
  if not columns:
    raise ValueError(
        f"categorical={categorical!r} and missing={missing!r} leave no column "
        f"of {table.name}: keep one kind.")
  features = np.stack(columns, axis=1)
  return table._replace(features=features, categories=(0,) * len(columns))


def split_scaled(table: Table, *, train_fraction: float, seed: int,
                 scaling: str) -> Split:
  """Splits a table, and measures the scale of its training rows.

  Args:
    table: The table, encoded.
    train_fraction: The share of rows to train on, between 0 and 1.
    seed: Fixes the split.
    scaling: "standard" (zero mean, unit variance), "min_max" (to [0, 1]) or
      "none". Columns that are constant in the training rows are only shifted.

  Returns:
    The split.

  Raises:
    ValueError: If an option is none of these.
  """
  _check_choice("scaling", scaling, ("standard", "min_max", "none"))
  train_rows, test_rows = stratified_split(table.labels,
                                           train_fraction=train_fraction,
                                           seed=seed)
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
  return Split(train_rows, test_rows,
               *(x.astype(np.float32) for x in (shift, scale, fill)))


def stratified_split(labels: np.ndarray, *, train_fraction: float,
                     seed: int) -> tuple[np.ndarray, np.ndarray]:
  """Splits rows so that every class is divided as evenly as can be.

  Unlike the splitters of scikit-learn it takes classes with a single row, which
  Abalone has: walk through the rows class by class, in random order of both,
  and take every row with which the share of training rows falls behind.

  Args:
    labels: `[rows]` class ids.
    train_fraction: The share of rows to train on.
    seed: Fixes the split.

  Returns:
    Training and test rows, int32, each in random order. There are
    `floor(train_fraction * rows)` training rows.

  Raises:
    ValueError: If a part would be empty.
  """
  rows = len(labels)
  # The little more mends products such as 0.29 * 100 = 28.999...
  train_size = int(np.floor(train_fraction * rows + 1e-9))
  if not 0 < train_size < rows:
    raise ValueError(f"train_fraction={train_fraction} leaves no rows to train "
                     f"or none to test, of {rows}: choose between 0 and 1.")
  rng = np.random.default_rng(seed)
  order = rng.permutation(rows)
  class_order = rng.permutation(labels.max() + 1)
  order = order[np.argsort(class_order[labels[order]], kind="stable")]
  # Turning the pattern gives each row its chance. In whole numbers it has no
  # seam, so that classes are divided evenly wherever it begins.
  quota = np.arange(rows + 1) * train_size // rows
  is_train = np.roll(np.diff(quota) > 0, rng.integers(rows))
  train_rows, test_rows = order[is_train], order[~is_train]
  return (rng.permutation(train_rows).astype(np.int32),
          rng.permutation(test_rows).astype(np.int32))


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
  """Raises unless the value is one of the choices."""
  if value not in choices:
    raise ValueError(f"unknown {name} {value!r}: choose one of "
                     f"{', '.join(choices)}.")
