"""Parses the raw files of the UCI tables, and verifies them."""

import hashlib
import io
import pathlib
from typing import Iterator, NamedTuple, Sequence

import numpy as np

from mixup_jax.data.sources import archives
from mixup_jax.data.sources import text

_LARGEST = float(np.finfo(np.float32).max)


class Contents(NamedTuple):
  """The contents of a raw file.

  Attributes:
    features: `[rows, columns]` float64, NaN where the file has "?".
    labels: One class name a row, as the file spells it.
  """

  features: np.ndarray
  labels: list[str]


def find(directory: pathlib.Path, name: str) -> pathlib.Path:
  """Returns the file of that name anywhere below a directory.

  Args:
    directory: Where to look.
    name: The name of the file, as its authors named it.

  Returns:
    The path; the first in order of the alphabet if there are several.

  Raises:
    FileNotFoundError: If there is none.
  """
  found = sorted(
    path
    for path in directory.rglob("*")
    if path.name == name and not archives.is_hidden(path.relative_to(directory))
  )
  if not found:
    raise FileNotFoundError(
      f"there is no file {name!r} in {directory} or below "
      "it: name the directory that holds it with --raw."
    )
  return found[0]


def read(
  path: pathlib.Path,
  *,
  columns: int,
  delimiter: str | None = ",",
  label_path: pathlib.Path | None = None,
  codes: dict[str, int] | None = None,
) -> Contents:
  """Reads a table whose last column, or a second file, holds the class.

  Args:
    path: Delimited text, or ARFF if its name ends in .arff.
    columns: The number of features.
    delimiter: What separates fields; None is white space.
    label_path: A file with one class a line, if the class is no column.
    codes: The numbers that stand for words in the features.

  Returns:
    The contents, not yet verified.

  Raises:
    ValueError: If a row has another number of fields, or a field is no finite
      number; the message names file, line and column.
  """
  has_label = label_path is None
  features, labels = [], []
  for number, fields in _rows(path, delimiter):
    if len(fields) != columns + has_label:
      raise ValueError(
        f"{path}, line {number}: found {len(fields)} fields, expected "
        f"{columns + has_label}; the file is cut off or damaged, fetch it "
        "again."
      )
    features.append(
      [
        _number(path, number, column, field, codes or {})
        for column, field in enumerate(fields[:columns], start=1)
      ]
    )
    labels.append(fields[-1])
  if label_path is not None:
    labels = [fields[0] for _, fields in _rows(label_path, None)]
    if len(labels) != len(features):
      raise ValueError(
        f"{label_path} has {len(labels)} labels for the "
        f"{len(features)} rows of {path}; fetch both again."
      )
  return Contents(np.asarray(features, np.float64), labels)


def checksum(parts: Sequence[Contents]) -> str:
  """Returns the SHA-256 of values and labels, in order.

  White space and line ends differ between copies of these files, so that the
  sum is taken over what they mean: little-endian float64, then the labels.
  """
  digest = hashlib.sha256()
  for part in parts:
    digest.update(part.features.astype("<f8").tobytes())
    digest.update("\n".join(part.labels).encode())
  return digest.hexdigest()


def _rows(
  path: pathlib.Path, delimiter: str | None
) -> Iterator[tuple[int, list[str]]]:
  """Yields line numbers and fields of the lines that hold data."""
  in_header = path.suffix == ".arff"
  lines = io.StringIO(text.decode(path.read_bytes(), path), newline=None)
  for number, line in enumerate(lines, start=1):
    line = line.strip()
    if in_header:
      in_header = line.lower() != "@data"
    elif line and not line.startswith("%"):
      yield number, [field.strip() for field in line.split(delimiter)]


def _number(
  path: pathlib.Path, line: int, column: int, field: str, codes: dict[str, int]
) -> float:
  """Returns the number that a field stands for."""
  if field == "?":
    return float("nan")
  place = f"{path}, line {line}, column {column}: {field!r}"
  remedy = "; the file is damaged, fetch it again."
  try:
    number = float(codes[field] if field in codes else field)
  except ValueError:
    raise ValueError(f"{place} is not a number{remedy}") from None
  # float takes "nan", "inf" and 1e999 too; a missing value is "?".
  if not abs(number) <= _LARGEST:
    raise ValueError(f"{place} is not finite in float32{remedy}")
  return number
