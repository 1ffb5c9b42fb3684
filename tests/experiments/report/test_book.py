"""Tests of the verdicts, and of the table of claims."""

import pytest

from experiments.report import book
from experiments.report.claims import Claim
from mixup_jax import results

BELOW, ABOVE = results.Interval(-2.0, -3.0, -1.0), results.Interval(2.0, 1.0, 3)
WIDE, NARROW = (
  results.Interval(0.5, -2.0, 3.0),
  results.Interval(0.1, -0.1, 0.3),
)


@pytest.mark.parametrize(
  ("found", "change", "at_papers_size", "want"),
  [
    (BELOW, -1.5, True, "reproduced"),
    (BELOW, -9.0, True, "reproduced"),  # Of another size, of the same sign.
    (BELOW, -1.5, False, "direction only"),
    (BELOW, None, False, "direction only"),
    (WIDE, -1.5, True, "undecided"),
    (WIDE, -1.5, False, "undecided"),
    (WIDE, None, True, "undecided"),
    (WIDE, -9.0, True, "not reproduced"),
    (NARROW, -1.5, True, "not reproduced"),
    (NARROW, -1.5, False, "not shown"),
    (ABOVE, -1.5, True, "not reproduced"),
    (ABOVE, None, False, "not shown"),
    (None, -1.5, True, "not run"),
    (None, None, False, "not run"),
  ],
)
def test_verdict_on_a_decrease(found, change, at_papers_size, want):
  size = {"at_papers_size": at_papers_size}
  assert book.verdict(found, change=change, sign=-1, **size) == want
  # The same of an increase, upside down.
  mirrored = found and results.Interval(-found.mean, -found.high, -found.low)
  change = None if change is None else -change
  assert book.verdict(mirrored, change=change, sign=1, **size) == want


@pytest.mark.parametrize(
  ("found", "want"), [(BELOW, "lower"), (ABOVE, "higher"), (WIDE, "undecided")]
)
def test_verdict_without_a_claim_is_the_direction(found, want):
  for size in (True, False):
    shown = book.verdict(found, change=None, sign=0, at_papers_size=size)
    assert shown == want


def test_verdict_of_an_interval_that_ends_at_0_is_undecided():
  touching = results.Interval(-1.0, -2.0, 0.0)
  found = book.verdict(touching, change=-1, sign=-1, at_papers_size=True)
  assert found == "undecided"


def row(method, values, setting="a, narrow", metric="error"):
  return results.summarize(
    values,
    setting=setting,
    method=results.Method(method.lower(), method),
    metric=metric,
    epochs=1,
  )


def result(*rows, device="1 x NVIDIA H100 80GB HBM3"):
  return {"rows": list(rows), "environment": {"device": device}}


CLAIM = Claim(
  section="1",
  page="page",
  paper="5.0 → 4.0",
  run="digits",
  file="f",
  metric="error",
  mixup="Mixup",
  change=-1.0,
  setting="a",
)


def test_line_shows_both_rows_and_the_verdict():
  shown = book.line(
    CLAIM,
    result(
      row("ERM", [5.0, 6.0]),
      row("Mixup", [4.0, 5.2]),
      row("Mixup", [9.0, 9.0], setting="b"),
    ),
    to="results/",
  )
  assert shown == [
    "[1](results/page.md)",
    "5.0 → 4.0",
    "digits (2), H100",
    "5.5 ± 0.5 → 4.6 ± 0.6",
    "undecided",
    "-0.9 (-2.2 to 0.4)",
  ]


def test_line_of_one_seed_has_no_interval_without_test_examples():
  one = result(row("ERM", [20.0]), row("Mixup", [10.0]), device="2 x cpu")
  *_, run, numbers, verdict, change = book.line(CLAIM, one, to="")
  assert run == "digits (1), CPU" and numbers == "20.0 → 10.0"
  assert (verdict, change) == ("not run", "-")
  known = CLAIM._replace(examples=1_000)
  *_, verdict, change = book.line(known, one, to="")
  assert (verdict, change) == ("direction only", "-10.0 (-13.1 to -6.9)")


def test_change_is_that_of_the_paired_row_of_a_file():
  paired = CLAIM._replace(difference="minus")
  rows = row("ERM", [5.0, 6.0]), row("Mixup", [4.0, 5.2])
  minus = row("Mixup", [1.0, 2.0, 3.0], metric="minus")
  found = book.change(paired, result(*rows, minus))
  assert found == results.interval(minus)


def test_table_names_a_file_or_row_that_is_missing(monkeypatch):
  monkeypatch.setattr(book.claims, "CLAIMS", [CLAIM])
  with pytest.raises(ValueError, match="1 is of f.json, which is not in"):
    book.table({})
  with pytest.raises(ValueError, match="one row of f.json, but 0 .*'Mixup'"):
    book.table({"f": result(row("ERM", [1.0]))})
  with pytest.raises(ValueError, match="one row of f.json, but 2 .*'Mixup'"):
    book.summary({"f": result(row("Mixup", [1.0]), row("Mixup", [1.0]))})


def test_summary_is_the_part_of_the_table_for_the_readme(monkeypatch):
  other = CLAIM._replace(section="2", in_readme=False)
  monkeypatch.setattr(book.claims, "CLAIMS", [CLAIM, other])
  found = {"f": result(row("ERM", [5.0]), row("Mixup", [4.0]))}
  whole, part = book.table(found).splitlines(), book.summary(found).splitlines()
  assert [len(lines) for lines in (whole, part)] == [4, 3]
  assert whole[2].startswith("| [1](results/page.md) | 5.0 → 4.0 |")
  assert part[2].startswith("| [1](experiments/results/page.md) | 5.0")
  assert whole[0].endswith("| verdict | change, 95 % interval |")
  assert part[0].endswith("| verdict |") and part[1] == "|---|---|---|---|---|"
