"""Tests of the claims: that they are the paper's, and pages state verdicts."""

import json
import re

import pytest

from experiments.report import __main__ as report
from experiments.report import book
from experiments.report.claims import CLAIMS

each_claim = pytest.mark.parametrize(
  "claim", CLAIMS, ids=lambda claim: f"{claim.section}, {claim.file}"
)


def load(claim):
  path = report.RESULTS / f"{claim.file}.json"
  return json.loads(path.read_text(encoding="utf-8"))


@each_claim
def test_change_is_the_difference_of_the_numbers_shown(claim):
  text = claim.paper
  if text == "the same":  # As the line before.
    text = CLAIMS[CLAIMS.index(claim) - 1].paper
    text = "5.6 → 4.2" if text == "the same" else text
  found = re.search(r"([\d.]+) → ([\d.]+)$", text)
  assert (claim.change is None) == (found is None)
  if found:
    erm, mixup = map(float, found.groups())
    assert claim.change == pytest.approx(mixup - erm)
    assert claim.change * claim.sign > 0


@each_claim
def test_pages_state_the_verdict(claim):
  result = load(claim)
  *_, verdict, _ = book.line(claim, result, to="")
  page = report.RESULTS / f"{claim.page}.md"
  bold = re.findall(r"\*\*(.*?)\*\*", " ".join(page.read_text("utf-8").split()))
  # What is not in the paper has a page that says more than the direction.
  assert not claim.sign or any(
    text.lower().startswith(verdict) for text in bold
  )


def test_claims_of_cifar_at_the_papers_size_have_its_setting():
  for claim in CLAIMS:
    if claim.file.startswith("cifar"):
      settings = {row["setting"] for row in book.pair(claim, load(claim))}
      papers = settings == {"cifar10, preact_resnet18"}
      assert papers == claim.at_papers_size
