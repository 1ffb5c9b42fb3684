"""The paper's numbers beside ours, and which of them were not run."""

import textwrap
from typing import Any, Iterable, Mapping, NamedTuple, Sequence, TypedDict

from mixup_jax.results.rows import Row


class PaperNumber(NamedTuple):
  """A number of the paper, and to which of our rows it belongs.

  Attributes:
    setting: The setting of the row.
    method: Its label; or the key of its method, where the paper does not state
      what else the label names, such as alpha.
    metric: The metric of the row.
    value: The number.
  """

  setting: str
  method: str
  metric: str
  value: float


class NotRun(TypedDict):
  """A number of the paper that no row stands beside."""

  setting: str
  method: str
  metric: str
  paper: float


def beside_paper(
  rows: Iterable[Row], paper: Sequence[PaperNumber]
) -> tuple[list[Row], list[NotRun]]:
  """Puts the paper's numbers into the rows that they belong to.

  Args:
    rows: The rows of a run.
    paper: The numbers of the paper's table.

  Returns:
    The rows with `paper` set, and the numbers that belong to none of them.
  """
  known = {number[:3]: number.value for number in paper}
  found: list[Row] = []
  used: set[tuple[str, str, str]] = set()
  for row in rows:
    for method in (row["method"], row["key"]):
      place = row["setting"], method, row["metric"]
      if place in known:
        row = {**row, "paper": known[place]}
        used.add(place)
        break
    found.append(row)
  missing = [number for number in paper if number[:3] not in used]
  return found, [
    NotRun(
      setting=number.setting,
      method=number.method,
      metric=number.metric,
      paper=number.value,
    )
    for number in missing
  ]


def describe_not_run(result: Mapping[str, Any], *, width: int) -> str:
  """Returns a line about the paper's numbers that no row stands beside.

  Args:
    result: A result with `not_run`.
    width: Characters of the line; what does not fit is left out.

  Returns:
    The line, such as "Not run: 2 of the paper's 4 numbers (iris: ERM 21.3,
    mixup 17.3)".
  """
  settings: dict[str, dict[str, list[str]]] = {}
  for number in result["not_run"]:
    methods = settings.setdefault(number["setting"], {})
    methods.setdefault(number["method"], []).append(str(number["paper"]))
  listed = "; ".join(
    f"{setting}: "
    + ", ".join(f"{name} {' / '.join(each)}" for name, each in methods.items())
    for setting, methods in settings.items()
  )
  missing = len(result["not_run"])
  # Methods of one key, such as of several alphas, share a number.
  run = {
    (row["setting"], row["key"], row["metric"], row["paper"])
    for row in result["rows"]
    if row["paper"] is not None
  }
  start = f"Not run: {missing} of the paper's {missing + len(run)} numbers ("
  room = width - len(start) - 1
  return f"{start}{textwrap.shorten(listed, room, placeholder=' ...')})"
