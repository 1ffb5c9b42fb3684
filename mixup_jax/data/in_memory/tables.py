"""Loads tables into memory, and encodes their columns."""

import difflib
import functools
from typing import NamedTuple

import numpy as np

from mixup_jax.data.in_memory import bundled
from mixup_jax.runtime import storage

TABLES = (
  "abalone",
  "arcene",
  "arrhythmia",
  "htru2",
  "iris",
  "phishing_websites",
  "website_phishing",
)


class Table(NamedTuple):
  """A table of numbers with a class for each row, on the host.

  Attributes:
    name: The name of the table.
    features: `[rows, columns]` float32, NaN where a value is missing.
    labels: `[rows]` int32 class ids.
    num_classes: The number of classes.
    categories: The number of categories of each column, 0 if it is numeric.
  """

  name: str
  features: np.ndarray
  labels: np.ndarray
  num_classes: int
  categories: tuple[int, ...]


def load(name: str, data_dir: str | None = None) -> Table:
  """Loads a table: Iris from scikit-learn, others as prepared.

  Args:
    name: One of `TABLES`.
    data_dir: The directory of prepared data sets; None is the default of TFDS.

  Returns:
    The table, with the rows of all splits.

  Raises:
    ValueError: If the table is unknown.
    FileNotFoundError: If it is not prepared; the message names the command.
  """
  if name not in TABLES:
    close = difflib.get_close_matches(name, TABLES, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
      f"unknown table {name!r}.{hint} Known are {', '.join(TABLES)}."
    )
  if name == "iris":
    features, labels = bundled.iris()
    return Table(
      name, features.astype(np.float32), labels.astype(np.int32), 3, (0,) * 4
    )
  return _load_prepared(name, storage.data_dir(data_dir))


@functools.cache  # A map of protocols splits each table many times.
def _load_prepared(name: str, data_dir: str | None) -> Table:
  """Loads a prepared table through TFDS."""
  # Imported here, since it takes a second.
  from mixup_jax.data.sources.uci.builder import Uci

  builder = Uci(config=name, data_dir=data_dir)
  if not builder.is_prepared():
    raise FileNotFoundError(
      f"{name} is not prepared in {builder.data_dir}. To download it:\n"
      f"  python -m mixup_jax.data.prepare {name}\n"
      "or, from files that you have:\n"
      f"  python -m mixup_jax.data.prepare {name} --raw DIR"
    )
  examples = []
  for split in builder.builder_config.files:
    source = builder.as_data_source(split)
    examples += source.__getitems__(range(len(source)))
  features = np.stack([example["features"] for example in examples])
  labels = np.asarray([example["label"] for example in examples], np.int32)
  categories = builder.builder_config.categories
  return Table(
    name,
    features,
    labels,
    len(builder.builder_config.classes),
    tuple(
      len(categories.get(column, ())) for column in range(features.shape[1])
    ),
  )


def encode(table: Table, *, categorical: str, missing: str) -> Table:
  """Encodes categorical columns as numbers, and drops columns if asked to.

  Args:
    table: The table.
    categorical: "one_hot" gives each category a column of 0 and 1, "ordinal"
      keeps the code as a number, "drop" drops categorical columns.
    missing: "mean" keeps missing values, which `splits.Split` replaces by the
      mean of the training rows; "drop" drops columns with missing values.

  Returns:
    A table without categorical columns.

  Raises:
    ValueError: If an option is unknown, or no column is left.
  """
  check_choice("categorical", categorical, ("one_hot", "ordinal", "drop"))
  check_choice("missing", missing, ("mean", "drop"))
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
      f"of {table.name}: keep one kind."
    )
  features = np.stack(columns, axis=1)
  return table._replace(features=features, categories=(0,) * len(columns))


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
  """Raises ValueError unless the value is one of the choices."""
  if value not in choices:
    raise ValueError(
      f"unknown {name} {value!r}: choose one of {', '.join(choices)}."
    )
