"""Counts the collectives of a compiled program."""

import math
import re
from typing import NamedTuple

KINDS = (
  "all-reduce",
  "all-gather",
  "all-to-all",
  "collective-permute",
  "reduce-scatter",
)
_OPERATION = re.compile(rf"= (.*?) ({'|'.join(KINDS)})(-start)?\(")
_ARRAY = re.compile(r"\b(pred|[a-z]+\d+\w*)\[([\d,]*)\]")


class Traffic(NamedTuple):
  """The number of collectives of one kind, and the bytes of their results."""

  number: int
  size: int


def find(text: str) -> dict[str, Traffic]:
  """Counts the collectives of a compiled program.

  Args:
    text: The program, as `jax.stages.Compiled.as_text` returns it.

  Returns:
    The traffic of one device, for each kind that occurs.
  """
  found: dict[str, Traffic] = {}
  for shapes, kind, start in _OPERATION.findall(text):
    sizes = [_size(*array) for array in _ARRAY.findall(shapes)]
    # The asynchronous start of one of these has its input among its results.
    both = start and kind in ("all-gather", "collective-permute")
    before = found.get(kind, Traffic(0, 0))
    found[kind] = Traffic(
      before.number + 1, before.size + (max(sizes) if both else sum(sizes))
    )
  return found


def _size(kind: str, dimensions: str) -> int:
  """Returns the bytes of an array, such as `bf16` of `8,128`."""
  bits = 8 if kind == "pred" else int(re.findall(r"\d+", kind)[0])
  return math.prod(int(d) for d in dimensions.split(",") if d) * bits // 8
