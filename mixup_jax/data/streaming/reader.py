"""Reads the examples of a stream, and records bad ones."""

import sys
from typing import Any, Iterable, Iterator, Mapping, NamedTuple, Sequence

import numpy as np

from mixup_jax.data.streaming import datasets
from mixup_jax.data.streaming import decode
from mixup_jax.runtime import storage

Fetched = Mapping[str, Any] | Exception
Decoded = tuple[np.ndarray, int]
# So many bad images are allowed in a data set of any size.
_HANDFUL = 5


class Reader(NamedTuple):
  """Reads the examples of one split.

  Attributes:
    source: The examples.
    split: The name of the split in messages.
    num_classes: The number of classes; labels are below it.
    limit: The number of bad images that are allowed.
  """

  source: datasets.Source
  split: str
  num_classes: int
  limit: int

  def read(self, row: int, bad: dict[str, str]) -> Decoded | None:
    """Reads and decodes an example.

    Args:
      row: The index of the example in the source.
      bad: Updated with the name and the error of the example if it is bad.

    Returns:
      The `[height, width, 3]` uint8 image and its class, or None if bad.
    """
    (example,) = self.fetch([row])
    return self.decode(row, example, bad)

  def fetch(self, rows: Iterable[int]) -> list[Fetched]:
    """Reads examples, or the error of each, and decodes none.

    A small image takes some microseconds to read and tens to decode, and in
    between the threads wait for one lock: all reads first, they wait less.
    """
    found: list[Fetched] = []
    for row in rows:
      try:
        found.append(self.source[row])
      except Exception as error:  # pylint: disable=broad-except
        if storage.is_transient(error):
          raise  # A bucket that does not answer says nothing about the image.
        found.append(error)
    return found

  def decode(
    self, row: int, example: Fetched, bad: dict[str, str]
  ) -> Decoded | None:
    """Decodes what `fetch` returned for a row; the rest is as in `read`."""
    name = ""
    try:
      if isinstance(example, Exception):
        raise example
      name = example.get("file_name", "")
      label = int(example["label"])
      if not 0 <= label < self.num_classes:
        raise ValueError(
          f"the label {label} is not one of {self.num_classes} classes"
        )
      return decode.decode(example["image"]), label
    except Exception as error:  # pylint: disable=broad-except
      # Of any type: the run may be in its tenth hour. The name of a file alone
      # may occur in many folders.
      name = f"{self.split}[{row}] {name}".strip()
      bad[name] = " ".join(str(error).split()) or type(error).__name__
      return None

  def read_from(
    self, order: np.ndarray, positions: Sequence[int], bad: dict[str, str]
  ) -> Iterator[Decoded]:
    """Reads the first valid example of an order from each position on.

    Args:
      order: `[examples]` rows of the source.
      positions: The positions to start from; an order wraps around at its end.
      bad: As in `read`.

    Yields:
      An image and its class for each position, as `read` returns them.

    Raises:
      RuntimeError: If too many examples are bad.
    """
    rows = [int(order[position % len(order)]) for position in positions]
    for position, row, example in zip(positions, rows, self.fetch(rows)):
      found = self.decode(row, example, bad)
      while found is None:
        self.check(bad)
        position += 1
        found = self.read(int(order[position % len(order)]), bad)
      yield found

  def check(self, bad: dict[str, str]) -> None:
    """Raises RuntimeError if there are too many bad images."""
    if len(bad) > min(self.limit, len(self.source) - 1):
      few = "; ".join(f"{k}: {v}" for k, v in list(bad.items())[:3])
      raise RuntimeError(
        f"at least {len(bad)} of {len(self.source)} images in {self.split} "
        f"are bad, {few}; prepare the data set again from intact files, or "
        "raise max_bad_share."
      )

  def account(self, bad: dict[str, str], new: dict[str, str]) -> None:
    """Adds to the known bad images, and reports new ones on stderr.

    Args:
      bad: The errors of known bad images, by name.
      new: The errors to add, by name.

    Raises:
      RuntimeError: If there are too many.
    """
    for name in sorted(new.keys() - bad.keys()):
      print(f"bad image: {name}: {new[name]}", file=sys.stderr, flush=True)
    bad |= new
    self.check(bad)


def make_reader(
  stream_set: datasets.StreamSet, split: str, max_bad_share: float
) -> Reader:
  """Returns the reader of a split in which a share of images may be bad."""
  source = getattr(stream_set, split)
  limit = max(_HANDFUL, int(max_bad_share * len(source)))
  return Reader(
    source, f"{stream_set.name}/{split}", stream_set.num_classes, limit
  )
