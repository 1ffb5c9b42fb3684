"""Reads examples of a stream, and keeps account of those that are bad."""

import sys
from typing import Any, Mapping, NamedTuple

import numpy as np

from mixup_jax.data.streaming import datasets
from mixup_jax.data.streaming import decode

# So few bad images are no reason to stop, in a set of any size.
_HANDFUL = 5


class Reader(NamedTuple):
  """Reads the examples of one split.

  Attributes:
    source: The examples.
    split: What to call the examples, before their numbers.
    num_classes: Labels are below it.
    limit: The number of bad images that is too many to go on, less one.
  """

  source: datasets.Source
  split: str
  num_classes: int
  limit: int

  def read(
    self, row: int, bad: dict[str, str]
  ) -> tuple[np.ndarray, int] | None:
    """Reads an example.

    Args:
      row: Its number in the source.
      bad: Gets its name, and what is wrong with it, if it is bad.

    Returns:
      The `[height, width, 3]` uint8 image and its class, or None if bad.
    """
    example: Mapping[str, Any] = {}
    try:
      example = self.source[row]
      label = int(example["label"])
      if not 0 <= label < self.num_classes:
        raise ValueError(
          f"the label {label} is none of {self.num_classes} classes"
        )
      return decode.decode(example["image"]), label
    except Exception as error:  # pylint: disable=broad-except
      # Of whatever kind: the run may be in its tenth hour. Names of files alone
      # may occur in many folders.
      name = f"{self.split}[{row}] {example.get('file_name', '')}".strip()
      bad[name] = " ".join(str(error).split()) or type(error).__name__
      return None

  def read_from(
    self, order: np.ndarray, position: int, bad: dict[str, str]
  ) -> tuple[np.ndarray, int]:
    """Reads the first good example of an order from a position on.

    Args:
      order: `[examples]` rows of the source.
      position: Where to begin; behind the last comes the first.
      bad: As in `read`.

    Returns:
      As `read`.

    Raises:
      RuntimeError: If too many are bad.
    """
    while (found := self.read(int(order[position % len(order)]), bad)) is None:
      position += 1
      self.check(bad)
    return found

  def check(self, bad: dict[str, str]) -> None:
    """Raises RuntimeError if these bad images are too many."""
    if len(bad) > min(self.limit, len(self.source) - 1):
      few = "; ".join(f"{k}: {v}" for k, v in list(bad.items())[:3])
      raise RuntimeError(
        f"at least {len(bad)} of {len(self.source)} images in {self.split} "
        f"are bad, {few}; prepare the set again from whole files, or raise "
        "max_bad_share."
      )

  def account(self, bad: dict[str, str], new: dict[str, str]) -> None:
    """Adds to the bad images known, and names new ones on stderr.

    Args:
      bad: Those known, by name, with what is wrong with each.
      new: Those to add.

    Raises:
      RuntimeError: If they are too many.
    """
    for name in sorted(new.keys() - bad.keys()):
      print(f"bad image: {name}: {new[name]}", file=sys.stderr, flush=True)
    bad |= new
    self.check(bad)


def make_reader(
  stream_set: datasets.StreamSet, split: str, max_bad_share: float
) -> Reader:
  """Makes the reader of a split that allows a share of bad images."""
  source = getattr(stream_set, split)
  limit = max(_HANDFUL, int(max_bad_share * len(source)))
  return Reader(
    source, f"{stream_set.name}/{split}", stream_set.num_classes, limit
  )
