"""Cells of text in columns that fit a terminal."""

import itertools
import textwrap
from typing import Sequence

NOT_RUN = "not run"  # The cell of a row without runs.
NAN = "nan"
WIDTH = 100  # Columns of a terminal.
_WORD = 44  # Characters of the longest word that is not broken.
# Widths of labels and headers, in characters, in the order they are tried.
_LIMITS = (
  *((WIDTH, header) for header in range(WIDTH, 11, -1)),
  *((_WORD, header) for header in range(WIDTH, 5, -1)),
)
_NUMBER = frozenset("+-0123456789.,±/< ")


def format_table(cells: Sequence[Sequence[str]]) -> str:
  """Aligns cells in columns, words left and numbers right, under a rule.

  Args:
    cells: The header and the lines, each a list of cells; the first cell of a
      line is its label.

  Returns:
    Lines of at most `WIDTH` characters. Labels and headers are wrapped as far
    as it takes; columns for which that leaves no room follow below.
  """
  labels, *columns = zip(*cells)
  for label, header in _LIMITS:
    wrapped = [
      [_wrap(text, label, indent="  ") for text in labels],
      *([_wrap(head, header), *([x] for x in body)] for head, *body in columns),
    ]
    widths = [max(len(line) for cell in c for line in cell) for c in wrapped]
    ends = list(itertools.accumulate(widths, lambda end, more: end + 2 + more))
    if ends[-1] <= WIDTH:
      break
  fitting = max(2, sum(end <= WIDTH for end in ends))
  if fitting < len(widths):
    above = format_table([line[:fitting] for line in cells])
    rest = format_table([[line[0], *line[fitting:]] for line in cells])
    return f"{above}\n\n{rest}"
  right = [all(map(is_number, column[1:])) for column in (labels, *columns)]
  return _align(wrapped, widths, right)


def is_number(text: str) -> bool:
  """Returns whether a cell is a number, or stands for one."""
  return text in (NOT_RUN, NAN) or set(text) <= _NUMBER


def _wrap(text: str, limit: int, *, indent: str = "") -> list[str]:
  """Breaks text between words, and words that are longer than `_WORD`."""

  def wrap(width: int) -> list[str]:
    return textwrap.wrap(
      text,
      max(width, min(longest, _WORD)),
      subsequent_indent=indent,
      break_on_hyphens=False,
    )

  longest = max(map(len, text.split()), default=0) + len(indent)
  lines = wrap(limit) or [""]
  even = wrap(len(text) // len(lines) + 4)
  return even if len(even) == len(lines) else lines


def _align(
  columns: Sequence[Sequence[list[str]]],
  widths: Sequence[int],
  right: Sequence[bool],
) -> str:
  """Joins columns of wrapped cells, the header standing on the rule."""
  header, *body = zip(*columns)
  height = max(map(len, header))
  bottom = [[""] * (height - len(cell)) + cell for cell in header]
  rule = [["-" * width] for width in widths]
  lines = []
  for row in (bottom, rule, *body):
    for texts in itertools.zip_longest(*row, fillvalue=""):
      aligned = (
        text.rjust(width) if number else text.ljust(width)
        for text, width, number in zip(texts, widths, right)
      )
      lines.append("  ".join(aligned).rstrip())
  return "\n".join(lines)
