"""Rows of a result: one number each, with n and spread, beside the paper's."""

from typing import Any, Mapping, NamedTuple, NotRequired, Sequence, TypedDict

import numpy as np
import scipy  # Its parts come as they are used: they are slow to import.

# The metric of a method's error minus that of ERM, seed by seed: sections write
# it, and reports draw it.
DIFFERENCE = "minus ERM, paired (%)"
# The chance of a mean difference as large if there were none; it has no spread.
P_VALUE = "p, paired t test"


class Method(NamedTuple):
  """The identity of a method, as data.

  Attributes:
    key: What names its directory and chooses its colour, such as "mixup".
    label: What tables show, such as "mixup, alpha 1".
    alpha: Concentration of Beta(alpha, alpha); 0 where nothing is drawn.
  """

  key: str
  label: str
  alpha: float = 0.0

  def names(self) -> dict[str, str]:
    """Returns the fields that name the method of a row or payload."""
    return {"method": self.label, "key": self.key}


ERM = Method("erm", "ERM")


class Row(TypedDict):
  """One number of a result, never without how many runs it is the mean of."""

  setting: str
  method: str  # The label of the method.
  key: str  # Its key.
  metric: str
  paper: float | None
  value: float | None
  std: float
  n: int
  epochs: int
  decimals: NotRequired[int]  # That tables show; 2 if it is not given.
  overlap: NotRequired[float]  # As in `summarize`; 0 if it is not given.
  values: NotRequired[list[float]]  # Of each run, if there are several.


def summarize(
  values: Sequence[float] | np.ndarray,
  *,
  setting: str,
  method: Method,
  metric: str,
  epochs: int,
  overlap: float = 0.0,
) -> Row:
  """Makes a row of the values of several runs.

  Args:
    values: One number a run; none if it was not run.
    setting: On what: a data set, a network.
    method: The method.
    metric: What the number is, with its unit.
    epochs: How long each run was; 0 if it has no epochs.
    overlap: Test examples for each training example, if every run splits one
      set anew; 0 if runs are independent.

  Returns:
    The row, with the standard deviation over the runs and the number of each,
    so that rows of the same seeds can be paired; `beside_paper` adds the
    paper's number.
  """
  count = len(values)
  made = Row(
    setting=setting,
    method=method.label,
    key=method.key,
    metric=metric,
    paper=None,
    value=round(float(np.mean(values)), 4) if count else None,
    std=round(float(np.std(values, ddof=1)), 4) if count > 1 else 0.0,
    n=count,
    epochs=epochs,
  )
  if count > 1:
    made["values"] = [round(float(value), 4) for value in values]
    if overlap:
      made["overlap"] = round(overlap, 6)
  return made


def standard_error(row: Mapping[str, Any]) -> float:
  """Returns the standard error of the mean of a row.

  Runs on splits of one set share training examples, so that their values are
  correlated, and the usual error is too small. The correction takes the share
  of the test examples for the correlation: the variance of the mean is
  (1 / n + test / train) of that of a value.

  Args:
    row: The row, of one run or more.

  References:
    Nadeau and Bengio, Inference for the Generalization Error, Machine Learning
    52, 2003, section 3: the corrected resampled t-test.
  """
  return row["std"] * (1 / row["n"] + row.get("overlap", 0.0)) ** 0.5


def family(items: Sequence[Mapping[str, Any]]) -> str:
  """Names rows or payloads of one key: by their label if they share it."""
  labels = {item["method"] for item in items}
  return labels.pop() if len(labels) == 1 else items[0]["key"].replace("_", " ")


def describe_runs(rows: Sequence[Mapping[str, Any]]) -> str:
  """Returns of how many runs the numbers are, and of how many epochs."""
  run = [row for row in rows if row["n"]]
  counts = sorted({row["n"] for row in run})
  epochs = sorted({row["epochs"] for row in run} - {0})  # 0: there are none.
  if not run:
    return "No run has ended"

  def join(numbers: Sequence[int]) -> str:
    return " or ".join(map(str, numbers))

  spread = "Mean ± standard error, " if max(counts) > 1 else ""
  if any(row.get("overlap") for row in run):
    spread = "Mean ± standard error of overlapping splits (Nadeau and Bengio), "
  trained = f", {join(epochs)} epochs" if epochs else ""
  return f"{spread}n = {join(counts)}{trained}"


def paired_t_test(
  differences: Sequence[float] | np.ndarray, *, overlap: float = 0.0
) -> float:
  """Returns the two-sided p-value of paired differences, at least two.

  Args:
    differences: One number a run.
    overlap: As in `summarize`.

  Returns:
    The probability of so large a mean, by Student's t, if they were normal
    around 0: 1 if all are 0.
  """
  values = np.asarray(differences, np.float64)
  spread = {"std": values.std(ddof=1), "n": len(values), "overlap": overlap}
  mean, error = values.mean(), standard_error(spread)
  if not error:
    return float(mean == 0)
  return float(2 * scipy.special.stdtr(len(values) - 1, -abs(mean / error)))
