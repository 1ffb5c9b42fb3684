"""Tables of result rows, ours beside the paper's, as text."""

from typing import Any, Callable, Mapping, Sequence

from mixup_jax.results.payloads import Layout
from mixup_jax.results.rows import P_VALUE
from mixup_jax.results.rows import Row

NOT_RUN = "not run"
_UNVERIFIED = " unverified"


def cells(rows: Sequence[Row]) -> list[list[str]]:
  """Returns a table of result rows with its header, ours beside the paper's.

  Args:
    rows: The rows of a result.

  Returns:
    A list of lines, each a list of cells: values are means with their standard
    errors.
  """
  header = ["setting", "method", "metric", "paper", "ours", "n", "epochs"]
  lines = [
    [
      row["setting"],
      row["method"],
      row["metric"],
      paper_number(row),
      mean_and_error(row),
      str(row["n"]),
      str(row["epochs"]),
    ]
    for row in rows
  ]
  return [header, *lines]


def laid_out(result: Mapping[str, Any]) -> list[list[str]]:
  """Returns the table of a result as its layout says, with its header.

  Args:
    result: A result, or what `result.json` holds.

  Returns:
    A list of lines, each a list of cells, ours beside the paper's.
  """
  layout = result.get("layout") or Layout(
    lines=["setting"], columns="method", metrics=[result["rows"][0]["metric"]]
  )
  rows = [row for row in result["rows"] if row["metric"] in layout["metrics"]]

  def line_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[key] for key in layout["lines"])

  def column_of(row: Mapping[str, Any]) -> str:
    return row[layout["columns"]]

  found = {(line_of(row), column_of(row)): row for row in rows}

  def show(how: Callable[[Any], str], *cell: Any) -> str:
    return how(found[cell]) if cell in found else "-"

  header, columns = _columns(rows, column_of)
  usual = layout["lines"] == ["setting"] and layout["columns"] == "method"
  # Of the lines: a setting is known as one, and the metric has no other place.
  names = layout["metrics"] if usual else layout["lines"]
  lines = [
    [*line, *(show(how, line, name) for how, name in columns)]
    for line in dict.fromkeys(map(line_of, rows))
  ]
  return [[*names, *header], *lines]


def _columns(
  rows: Sequence[dict[str, Any]], column_of: Callable[[dict[str, Any]], str]
) -> tuple[list[str], list[tuple[Callable[..., str], str]]]:
  """Returns the header, and for each column how it shows which cell."""
  header: list[str] = []
  columns: list[tuple[Callable[..., str], str]] = []
  for name in dict.fromkeys(map(column_of, rows)):
    own = [row for row in rows if column_of(row) == name]
    # Of one method at several alphas, the paper has one number.
    family = name.split(",")[0] if name == own[0]["method"] else name
    paper = f"{family}, paper"
    if paper not in header and any(row["paper"] is not None for row in own):
      header.append(paper)
      columns.append((paper_number, name))
    header.append(name)
    columns.append((mean_and_error, name))
  return header, columns


def format_table(cells: Sequence[Sequence[str]]) -> str:
  """Aligns cells in columns, words left and numbers right, under a rule."""
  widths = [max(map(len, column)) for column in zip(*cells)]
  number = [is_number(column[-1]) for column in zip(*cells)]
  lines = []
  for row in cells:
    aligned = (
      c.rjust(w) if right else c.ljust(w)
      for c, w, right in zip(row, widths, number)
    )
    lines.append("  ".join(aligned).rstrip())
  lines.insert(1, "  ".join("-" * width for width in widths))
  return "\n".join(lines)


def is_number(text: str) -> bool:
  """Returns whether a cell is a number, or stands for one."""
  text = text.removesuffix(_UNVERIFIED)
  return text == NOT_RUN or set(text) <= set("+-0123456789.,±/< ")


def paper_number(row: Row) -> str:
  """Returns the paper's number as text, marked if it is not verified."""
  if row["paper"] is None:
    return "-"
  # With the decimals that the paper gives, one at least.
  text = str(float(row["paper"]))
  return text + _UNVERIFIED if row.get("unverified") else text


def mean_and_error(row: Row) -> str:
  """Returns a mean and its standard error as text, or a p-value."""
  if row["value"] is None:
    return NOT_RUN
  is_p = row["metric"] == P_VALUE
  decimals = row.get("decimals", 3 if is_p else 2)
  value = f"{row['value']:.{decimals}f}"
  tiny = 0 <= row["value"] < 0.5 * 10**-decimals
  if tiny and (is_p or row["value"]):  # No p is 0, though it may be rounded.
    value = f"<{10**-decimals:.{decimals}f}"
  if is_p or row["n"] < 2:
    return value
  return f"{value} ± {row['std'] / row['n'] ** 0.5:.{decimals}f}"
