"""What a result holds for its figures: one type a kind of figure.

`setting`, `method`, `key` and `metric` are those of rows: `method` is the label
that figures show, and `key` chooses the colour. `png` is one picture, as
`encoding.encode_png` returns it.
"""

from typing import Literal, NotRequired, Sequence, TypedDict

from mixup_jax.results.paper import NotRun
from mixup_jax.results.rows import Row

Dimension = Literal["setting", "method", "metric"]


class Curve(TypedDict):
  """A metric over epochs, `values` of `[seeds, epochs]`."""

  setting: str
  method: str
  key: str
  metric: str
  epochs: list[int]
  values: list[list[float]]


class Pairs(TypedDict):
  """A metric between pairs of examples, over the weight of the first.

  Attributes:
    lam: The weights, from 0 to 1.
    values: `[seeds, lams]`.
    paper: The paper's values at equally spaced weights from 0 to 1; none if it
      does not have the method.
  """

  setting: str
  method: str
  key: str
  metric: str
  lam: list[float]
  values: list[list[float]]
  paper: list[float]


class Plane(TypedDict):
  """Predictions on the plane in which the training points lie.

  Attributes:
    limit: The plane extends from -limit to limit in x and in y.
    points: For class 0 and class 1, "x y" of each point.
    percent: For each method, the probability of class 1: a line of text for
      each y, rising, with a number for each x.
  """

  limit: float
  points: list[list[str]]
  percent: dict[str, list[str]]


class Robustness(TypedDict):
  """The error of a method under an attack, over the size of the perturbation.

  Attributes:
    attack: Whose gradient it follows, and how: "white box, FGSM".
    epsilon: The largest change of a pixel, of 0 to 255.
    values: `[seeds, epsilons]`, in per cent.
  """

  setting: str
  method: str
  key: str
  attack: str
  epsilon: list[float]
  values: list[list[float]]


class Strip(TypedDict):
  """Images in rows: what each row shows, and how many images it has."""

  rows: list[str]
  columns: int
  png: str


class Reliability(TypedDict):
  """Accuracy over confidence: a reliability diagram.

  Attributes:
    confidence: For each bin that has predictions, their mean confidence.
    accuracy: The share of them that is right.
    share: Their share of all predictions.
    error: The expected calibration error, in per cent.
  """

  setting: str
  method: str
  key: str
  confidence: list[float]
  accuracy: list[float]
  share: list[float]
  error: float


class MixedInputs(TypedDict):
  """Inputs of networks between pairs of images.

  Attributes:
    rows: What each row shows.
    lam: The weight of the first image, in each column of a pair.
    pairs: The number of pairs, side by side.
  """

  rows: list[str]
  lam: list[float]
  pairs: int
  png: str


class Spectrograms(TypedDict):
  """Spectrograms, one above the other.

  Attributes:
    titles: What each one shows.
    low: The value of the pixels that are 0.
    high: The value of the pixels that are 255.
    seconds: The length of each, from left to right.
    hertz: The highest frequency, in the last row.
  """

  titles: list[str]
  low: float
  high: float
  seconds: float
  hertz: float
  png: str


class Snapshots(TypedDict):
  """Points of a generator during training, beside those of the data.

  Attributes:
    iterations: When they were taken.
    real: The points of the data, `[points, 2]`, as `encoding.encode_points`
      returns them.
    fake: For each iteration those of the generator, in the same form.
  """

  setting: str
  method: str
  key: str
  iterations: list[int]
  real: str
  fake: list[str]


class HeatMap(TypedDict):
  """A metric over two hyper-parameters.

  Attributes:
    x: The name of the one along the columns.
    y: The name of the one along the lines.
    columns: The values of x, or names.
    lines: The values of y, or names.
    values: For each y a list over x, None where the run failed.
    limits: The values at the ends of the scale of colours.
    p: Of differences their p-values, as `values`; figures frame those below
      0.05.
  """

  setting: str
  method: str
  key: str
  metric: str
  x: str
  y: str
  columns: Sequence[float | str]
  lines: Sequence[float | str]
  values: list[list[float | None]]
  limits: list[float]
  p: NotRequired[list[list[float]]]


class Line(TypedDict):
  """A line of a panel, `values` of `[seeds, points]` over `x`."""

  name: str
  key: str
  x: list[float]
  values: list[list[float]]


class Panel(TypedDict):
  """Lines of a result, for a picture of several results.

  Attributes:
    title: What is shown.
    x: The name of the horizontal axis.
    y: That of the vertical axis, which begins at 0.
    limit: Where the vertical axis ends.
    decimals: Those of the last value, which stands beside each line.
  """

  title: str
  x: str
  y: str
  limit: float
  decimals: int
  lines: list[Line]


class Layout(TypedDict):
  """Where a table shows settings, methods and metrics.

  Attributes:
    lines: Which of the three are lines.
    columns: Which are columns. The values of the third name blocks.
    metrics: The metrics to show, in this order.
  """

  lines: Dimension
  columns: Dimension
  metrics: list[str]


class Result(TypedDict):
  """What a section returns, to be written to `result.json`.

  Attributes:
    rows: The numbers, beside the paper's.
    not_run: The paper's numbers that no row stands beside.
    layout: How tables show the rows; `table.blocks` has a default.
    failed: Which parts failed, by name, and why.
    wall_seconds: The time of all processes that took part, if it is not that
      of the last one.

  The others are for figures.
  """

  rows: list[Row]
  not_run: NotRequired[list[NotRun]]
  layout: NotRequired[Layout]
  failed: NotRequired[dict[str, str]]
  wall_seconds: NotRequired[float]
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
