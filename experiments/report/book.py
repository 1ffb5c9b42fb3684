"""The table of results: a line a claim, with a verdict by one rule.

The rule is written in `experiments/README.md`.
"""

from typing import Any, Mapping, Sequence

from experiments.report import claims
from experiments.report.claims import Claim
from mixup_jax import results

HEADER = (
  "section",
  "paper, ERM → mixup",
  "run here (n)",
  "ERM → mixup",
  "verdict",
  "change, 95 % interval",
)


def verdict(
  found: results.Interval | None,
  *,
  change: float | None,
  sign: int,
  at_papers_size: bool,
) -> str:
  """Returns the verdict on a claim.

  Args:
    found: Our change by mixup; None if nothing gives it an interval.
    change: The paper's; None if it gives no number.
    sign: Its direction: -1 down, 1 up, 0 not in the paper.
    at_papers_size: Whether data and network are those of the paper.
  """
  if found is None:
    return "not run"
  ours = (found.low > 0) - (found.high < 0)  # 0: the interval holds 0.
  if not sign:
    return {-1: "lower", 0: "undecided", 1: "higher"}[ours]
  if ours == sign:
    return "reproduced" if at_papers_size else "direction only"
  if not ours and (change is None or found.low <= change <= found.high):
    return "undecided"
  return "not reproduced" if at_papers_size else "not shown"


def change(claim: Claim, result: Mapping[str, Any]) -> results.Interval | None:
  """Returns our change by mixup, with its interval if there can be one."""
  if claim.difference:
    return results.interval(_row(claim, result, claim.mixup, claim.difference))
  mixup, erm = pair(claim, result)
  if claim.examples and mixup["n"] == erm["n"] == 1:
    return results.error_difference(
      mixup["value"], erm["value"], examples=claim.examples
    )
  return results.difference(mixup, erm)


def pair(claim: Claim, result: Mapping[str, Any]) -> tuple[Any, Any]:
  """Returns the rows of mixup and of ERM, with the decimals to show."""
  mixup, erm = (
    {**_row(claim, result, method, claim.metric), "decimals": claim.decimals}
    for method in (claim.mixup, claim.erm)
  )
  return mixup, erm


def line(claim: Claim, result: Mapping[str, Any], *, to: str) -> list[str]:
  """Returns the cells of a claim, as of `HEADER`.

  Args:
    claim: The claim.
    result: The content of its result file.
    to: What leads from the document to the pages.
  """
  mixup, erm = pair(claim, result)
  ours = change(claim, result)
  return [
    f"[{claim.section}]({to}{claim.page}.md)",
    claim.paper,
    f"{claim.run} ({mixup['n']}), {device(result)}",
    " → ".join(map(results.mean_and_error, (erm, mixup))),
    verdict(
      ours,
      change=claim.change,
      sign=claim.sign,
      at_papers_size=claim.at_papers_size,
    ),
    f"{ours.mean:.{claim.decimals}f} ({ours.low:.{claim.decimals}f} to "
    f"{ours.high:.{claim.decimals}f})"
    if ours
    else "-",
  ]


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
  """Returns the table of all claims in Markdown, for `experiments/README.md`.

  Args:
    found: The content of each result file, by its name without ending.

  Raises:
    ValueError: If a file or row that a claim names is not there.
  """
  return _markdown(HEADER, _lines(claims.CLAIMS, found, to="results/"))


def summary(found: Mapping[str, Mapping[str, Any]]) -> str:
  """Returns that of fewer claims and without intervals, for `README.md`."""
  shown = [claim for claim in claims.CLAIMS if claim.in_readme]
  lines = _lines(shown, found, to="experiments/results/")
  return _markdown(HEADER[:-1], [cells[:-1] for cells in lines])


def _lines(
  shown: Sequence[Claim], found: Mapping[str, Mapping[str, Any]], *, to: str
) -> list[list[str]]:
  """Returns the cells of each claim."""
  for claim in shown:
    if claim.file not in found:
      raise ValueError(
        f"claims.CLAIMS: {claim.section} is of {claim.file}.json, which is "
        "not in experiments/results."
      )
  return [line(claim, found[claim.file], to=to) for claim in shown]


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
  """Returns a table in Markdown."""
  head, *body = (f"| {' | '.join(cells)} |" for cells in (header, *lines))
  return "\n".join([head, "|" + "---|" * len(header), *body])


def device(result: Mapping[str, Any]) -> str:
  """Returns the name of the device of a result, such as "CPU" or "H100"."""
  name = result["environment"]["device"].partition(" x ")[2]
  return "CPU" if name == "cpu" else name.removeprefix("NVIDIA ").split()[0]


def _row(
  claim: Claim, result: Mapping[str, Any], method: str, metric: str
) -> Any:
  """Returns the one row of a claim's setting, a method and a metric."""
  rows = [
    row
    for row in result["rows"]
    if row["setting"].startswith(claim.setting)
    and (row["method"], row["metric"]) == (method, metric)
  ]
  if len(rows) != 1:
    raise ValueError(
      f"claims.CLAIMS: {claim.section} must name one row of {claim.file}.json, "
      f"but {len(rows)} have the method {method!r}, the metric {metric!r} and "
      f"a setting that begins with {claim.setting!r}."
    )
  return rows[0]
