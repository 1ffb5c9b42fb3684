"""The rows of a result: one number each, beside the paper's."""

from typing import Any, Callable, Mapping, NotRequired, Sequence, TypedDict

import numpy as np
import scipy.special

# The metric of a method's error minus that of ERM, seed by seed: sections write
# it, and reports draw it.
DIFFERENCE = "minus ERM, paired (%)"
# The chance of a mean difference as large if there were none; it has no spread.
P_VALUE = "p, paired t test"
NOT_RUN = "not run"
_UNVERIFIED = " unverified"


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
  decimals: NotRequired[int]  # That tables show; 2 if it is not given.


class Curve(TypedDict):
  """A metric over epochs, `values` of `[seeds, epochs]`."""

  setting: str
  method: str
  metric: str
  epochs: list[int]
  values: list[list[float]]


class Pairs(TypedDict):
  """A metric between pairs of examples, over the weight of the first.

  Attributes:
    setting: As in a row; so are the next two.
    lam: The weights, from 0 to 1.
    values: `[seeds, lams]`.
    paper: The paper's values, of weights as far from each other, from 0 to 1.
  """

  setting: str
  method: str
  metric: str
  lam: list[float]
  values: list[list[float]]
  paper: list[float]


class Plane(TypedDict):
  """What networks say of the plane in which their training points lie.

  Attributes:
    limit: The plane goes from -limit to limit, each way.
    points: For class 0 and class 1, "x y" of each point.
    percent: For each method, the probability of class 1: a line of text for
      each y, rising, with a number for each x.
  """

  limit: float
  points: list[list[str]]
  percent: dict[str, list[str]]


class Robustness(TypedDict):
  """The error of a method under an attack, over how far a pixel may move.

  Attributes:
    setting: As in a row; so is the next.
    attack: Which gradient is known, and how it is used: "white box, FGSM".
    epsilon: How far, in pixels of 0 to 255.
    values: `[seeds, epsilons]`, in per cent.
  """

  setting: str
  method: str
  attack: str
  epsilon: list[float]
  values: list[list[float]]


class Strip(TypedDict):
  """A few images in rows, as one picture.

  Attributes:
    rows: What each row shows.
    columns: The number of images in a row.
    png: The picture, as `pictures.encode` makes it.
  """

  rows: list[str]
  columns: int
  png: str


class Reliability(TypedDict):
  """How often predictions are right, by how sure a network was.

  Attributes:
    setting: As in a row; so is the next.
    method: As in a row.
    confidence: Of each bin that has predictions, their mean confidence.
    accuracy: The share of them that was right.
    share: How many of all predictions they are.
    error: The expected calibration error, in per cent.
  """

  setting: str
  method: str
  confidence: list[float]
  accuracy: list[float]
  share: list[float]
  error: float


class MixedInputs(TypedDict):
  """What networks are shown between pairs of images, as one picture.

  Attributes:
    rows: What each row shows.
    lam: The weight of the first image, in each column of a pair.
    pairs: How many pairs stand side by side.
    png: The picture, as `pictures.encode` makes it.
  """

  rows: list[str]
  lam: list[float]
  pairs: int
  png: str


class Spectrograms(TypedDict):
  """Spectrograms to be looked at, in one picture, one above the other.

  Attributes:
    titles: What each one is of.
    low: The value of the pixels that are 0.
    high: The value of the pixels that are 255.
    seconds: How long each is, from left to right.
    hertz: The highest frequency, in the last row.
    png: The picture, as `pictures.encode` makes it.
  """

  titles: list[str]
  low: float
  high: float
  seconds: float
  hertz: float
  png: str


class Snapshots(TypedDict):
  """Points of a generator as it learns, beside those that it learns from.

  Attributes:
    setting: As in a row; so is the next.
    method: As in a row.
    iterations: When they were taken.
    real: The real points, as `points.encode` makes them of `[points, 2]`.
    fake: For each iteration those of the generator, in the same form.
  """

  setting: str
  method: str
  iterations: list[int]
  real: str
  fake: list[str]


class HeatMap(TypedDict):
  """A metric over two hyper-parameters.

  Attributes:
    setting: As in a row; so are the next two.
    x: The name of one, and y that of the other.
    columns: The values of x.
    lines: The values of y.
    values: For each y a list over x, None where the run failed.
    limits: The least value that there can be, and the largest.
  """

  setting: str
  method: str
  metric: str
  x: str
  y: str
  columns: list[float]
  lines: list[float]
  values: list[list[float | None]]
  limits: list[float]


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
  plane: NotRequired[Plane]
  pairs: NotRequired[list[Pairs]]
  robustness: NotRequired[list[Robustness]]
  strip: NotRequired[Strip]
  mixed_inputs: NotRequired[MixedInputs]
  spectrograms: NotRequired[Spectrograms]
  reliability: NotRequired[list[Reliability]]
  snapshots: NotRequired[list[Snapshots]]
  heat_maps: NotRequired[list[HeatMap]]
  layout: NotRequired[Layout]
  failed: NotRequired[dict[str, str]]
  wall_seconds: NotRequired[float]


def summarize(
  values: Sequence[float] | np.ndarray,
  *,
  setting: str,
  method: str,
  metric: str,
  paper: float | None,
  epochs: int,
  unverified: bool = False,
) -> Row:
  """Makes a row of the values of several runs.

  Args:
    values: One number a run; none if it was not run.
    setting: On what: a data set, a network.
    method: How: "ERM", "mixup, alpha 1".
    metric: What the number is, with its unit.
    paper: The paper's number, None if it gives none.
    epochs: How long each run was; 0 if it has no epochs.
    unverified: Whether the paper's number has yet to be compared with it.

  Returns:
    The row, with the standard deviation over the runs.
  """
  count = len(values)
  row = Row(
    setting=setting,
    method=method,
    metric=metric,
    paper=paper,
    value=round(float(np.mean(values)), 4) if count else None,
    std=round(float(np.std(values, ddof=1)), 4) if count > 1 else 0.0,
    n=count,
    epochs=epochs,
  )
  if unverified and paper is not None:
    row["unverified"] = True
  return row


def paired_t_test(differences: Sequence[float] | np.ndarray) -> float:
  """Returns the two-sided p-value of paired differences, at least two.

  Args:
    differences: One number a run.

  Returns:
    The probability of so large a mean, by Student's t, if they were normal
    around 0: 1 if all are 0.
  """
  values = np.asarray(differences, np.float64)
  mean, error = values.mean(), values.std(ddof=1) / len(values) ** 0.5
  if not error:
    return float(mean == 0)
  return float(2 * scipy.special.stdtr(len(values) - 1, -abs(mean / error)))


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
