"""What a result holds for its figures: one type a kind of figure."""

from typing import NotRequired, TypedDict

from mixup_jax.results.paper import NotRun
from mixup_jax.results.rows import Row


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

  `not_run` has the paper's numbers that no row stands beside. `wall_seconds` is
  given by what can be stopped and continued: else it is the
  time of the process. `failed` says by name which parts failed, and why. A
  report shows the first metric, a line a setting and a column a method, unless
  there is a `layout`.
  """

  rows: list[Row]
  not_run: NotRequired[list[NotRun]]
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
