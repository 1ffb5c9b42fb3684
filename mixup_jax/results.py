"""The rows of a result: one number each, beside the paper's."""

from typing import NotRequired, Sequence, TypedDict

import numpy as np

# The metric of a method's error minus that of ERM, seed by seed: sections write
# it, and reports draw it.
DIFFERENCE = "minus ERM, paired (%)"
NOT_RUN = "not run"


class Row(TypedDict):
  """One number of a result, never without how many runs it is the mean of."""
  setting: str
  method: str
  metric: str
  paper: float | None
  unverified: NotRequired[bool]
  value: float | None
  std: float
  n: int
  epochs: int


class Curve(TypedDict):
  """A metric over epochs, `values` of `[seeds, epochs]`."""
  setting: str
  method: str
  metric: str
  epochs: list[int]
  values: list[list[float]]


class Layout(TypedDict):
  """How a report shows the rows: which of their keys say the line of the table.

  Attributes:
    lines: Keys of a row whose values, together, are a line.
    columns: The key whose values are columns.
    metrics: The metrics that are shown.
  """
  lines: list[str]
  columns: str
  metrics: list[str]


class Result(TypedDict):
  """What a section returns, to be written to `result.json`.

  `wall_seconds` is given by what can be stopped and continued: else it is the
  time of the process. `failed` says by name which parts failed, and why. A
  report shows the first metric, a line a setting and a column a method, unless
  there is a `layout`.
  """
  rows: list[Row]
  curves: NotRequired[list[Curve]]
  layout: NotRequired[Layout]
  failed: NotRequired[dict[str, str]]
  wall_seconds: NotRequired[float]


def summarize(values: Sequence[float] | np.ndarray,
              *,
              setting: str,
              method: str,
              metric: str,
              paper: float | None,
              epochs: int,
              unverified: bool = False) -> Row:
  """Makes a row of the values of several runs.

  Args:
    values: One number a run; none if it was not run.
    setting: On what: a data set, a network.
    method: How: "ERM", "mixup, alpha 1".
    metric: What the number is, with its unit.
    paper: The paper's number, None if it gives none.
    epochs: How long each run was.
    unverified: Whether the paper's number has yet to be compared with it.

  Returns:
    The row, with the standard deviation over the runs.
  """
  count = len(values)
  row = Row(setting=setting,
            method=method,
            metric=metric,
            paper=paper,
            value=round(float(np.mean(values)), 4) if count else None,
            std=round(float(np.std(values, ddof=1)), 4) if count > 1 else 0.0,
            n=count,
            epochs=epochs)
  if unverified and paper is not None:
    row["unverified"] = True
  return row


def cells(rows: Sequence[Row]) -> list[list[str]]:
  """Returns a table of result rows with its header, ours beside the paper's.

  Args:
    rows: The rows of a result.

  Returns:
    A list of lines, each a list of cells: values are means with their standard
    errors.
  """
  header = ["setting", "method", "metric", "paper", "ours", "n", "epochs"]
  lines = [[
      row["setting"], row["method"], row["metric"],
      paper_number(row),
      mean_and_error(row),
      str(row["n"]),
      str(row["epochs"])
  ] for row in rows]
  return [header, *lines]


def format_table(cells: Sequence[Sequence[str]]) -> str:
  """Aligns cells in columns, words left and numbers right, under a rule."""
  widths = [max(map(len, column)) for column in zip(*cells)]
  is_number = [column[-1][:1] in "+-0123456789" for column in zip(*cells)]
  lines = []
  for row in cells:
    aligned = (c.rjust(w) if number else c.ljust(w)
               for c, w, number in zip(row, widths, is_number))
    lines.append("  ".join(aligned).rstrip())
  lines.insert(1, "  ".join("-" * width for width in widths))
  return "\n".join(lines)


def paper_number(row: Row) -> str:
  """Returns the paper's number as text, marked if it is not verified."""
  if row["paper"] is None:
    return "-"
  # With all its digits, and one behind the point at least.
  number = max(f"{row['paper']:.1f}", f"{row['paper']:g}", key=len)
  return number + (" unverified" if row.get("unverified") else "")


def mean_and_error(row: Row) -> str:
  """Returns a mean and its standard error as text."""
  if row["value"] is None:
    return NOT_RUN
  if row["n"] < 2:
    return f"{row['value']:.2f}"
  return f"{row['value']:.2f} ± {row['std'] / row['n']**0.5:.2f}"
