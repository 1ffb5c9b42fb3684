"""Tables of result rows, ours beside the paper's, as text."""

import math
import textwrap
from typing import Any, Mapping, NamedTuple, Sequence

from mixup_jax.results.alignment import format_table
from mixup_jax.results.alignment import NAN
from mixup_jax.results.alignment import NOT_RUN
from mixup_jax.results.alignment import WIDTH
from mixup_jax.results.paper import describe_not_run
from mixup_jax.results.payloads import Dimension
from mixup_jax.results.payloads import Layout
from mixup_jax.results.rows import describe_runs
from mixup_jax.results.rows import family
from mixup_jax.results.rows import P_VALUE
from mixup_jax.results.rows import Row
from mixup_jax.results.rows import standard_error


class Block(NamedTuple):
  """A part of a table.

  Attributes:
    name: What its rows share, such as their setting.
    cells: The header and the lines, each a list of cells. The first cell of a
      line is its label, and that of the header is empty.
  """

  name: str
  cells: list[list[str]]


def blocks(result: Mapping[str, Any]) -> list[Block]:
  """Arranges the rows of a result by its layout.

  Args:
    result: A result, or the content of `result.json`. Without a layout methods
      are columns and all metrics lines, or settings if there is one metric.

  Returns:
    A block for each setting, method or metric: whichever is neither lines nor
    columns. Ours stand beside the paper's numbers, where it gives any; "-" is
    in a cell that has no row.
  """
  names = list(dict.fromkeys(row["metric"] for row in result["rows"]))
  layout = result.get("layout") or Layout(
    lines="metric" if len(names) > 1 else "setting",
    columns="method",
    metrics=names,
  )
  down, across = layout["lines"], layout["columns"]
  (rest,) = {"setting", "method", "metric"} - {down, across}
  metrics = layout["metrics"]
  rows = [row for row in result["rows"] if row["metric"] in metrics]
  rows.sort(key=lambda row: metrics.index(row["metric"]))
  return [
    Block(
      name, _cells([row for row in rows if row[rest] == name], down, across)
    )
    for name in dict.fromkeys(row[rest] for row in rows)
  ]


def _cells(
  rows: Sequence[Row], down: Dimension, across: Dimension
) -> list[list[str]]:
  """Returns the header and the lines of a block."""
  lines = list(dict.fromkeys(row[down] for row in rows))
  columns: dict[str, list[str]] = {}
  for name in dict.fromkeys(row[across] for row in rows):
    own = {row[down]: row for row in rows if row[across] == name}
    if any(row["paper"] is not None for row in own.values()):
      title = _family(rows, name, down) if across == "method" else name
      columns.setdefault(
        f"{title}, paper",
        [paper_number(own[line]) if line in own else "-" for line in lines],
      )
    columns[name] = [
      mean_and_error(own[line]) if line in own else "-" for line in lines
    ]
  return [["", *columns], *map(list, zip(lines, *columns.values()))]


def _family(rows: Sequence[Row], method: str, down: Dimension) -> str:
  """Names the methods for which the paper has the same numbers as for one.

  Those are of one key, such as mixup with several alphas, and share a column.
  """
  key = next(row["key"] for row in rows if row["method"] == method)
  alike = [row for row in rows if row["key"] == key]
  numbers = {(row[down], row["paper"]) for row in alike}
  same = len(numbers) == len({row[down] for row in alike})
  return family(alike) if same else method


def format_result(result: Mapping[str, Any]) -> str:
  """Returns the closing table of a run, for a terminal of `WIDTH` columns.

  Args:
    result: A result, or the content of `result.json`.

  Returns:
    The blocks of the table, each below its name; then how many runs the numbers
    are of; then, in one line, which of the paper's numbers were not run.
  """
  parts = [
    f"{textwrap.fill(name, WIDTH)}\n{format_table(cells)}"
    for name, cells in blocks(result)
  ]
  about = [f"{describe_runs(result['rows'])}."]
  if result.get("not_run"):
    about.append(describe_not_run(result, width=WIDTH))
  return "\n\n".join([*parts, "\n".join(about)])


def paper_number(row: Row) -> str:
  """Returns the paper's number as text, "-" if it gives none."""
  if row["paper"] is None:
    return "-"
  # With the decimals that the paper gives, one at least.
  return str(float(row["paper"]))


def mean_and_error(row: Row) -> str:
  """Returns a mean and its standard error as text, or a p-value.

  A row of runs has no value, or NaN, if that of a run was not finite.
  """
  if row["value"] is None or math.isnan(row["value"]):
    return NAN if row["n"] else NOT_RUN
  is_p = row["metric"] == P_VALUE
  decimals = row.get("decimals", 3 if is_p else 2)
  value = f"{row['value']:.{decimals}f}"
  tiny = 0 <= row["value"] < 0.5 * 10**-decimals
  if tiny and (is_p or row["value"]):  # No p is 0, though it may be rounded.
    value = f"<{10**-decimals:.{decimals}f}"
  if is_p or row["n"] < 2:
    return value
  return f"{value} ± {standard_error(row):.{decimals}f}"
