"""Tests of the picture of three claims."""

from experiments.report import __main__ as report
from experiments.report import book
from experiments.report import claims
from experiments.report import picture


def load(name):
  return report._read(report.RESULTS / f"{name}.json")


def test_panels_show_one_line_of_each_method_with_the_verdict():
  found = {source.file: load(source.file) for source in picture.SOURCES}
  shown = picture.panels(found)
  assert len(shown) == 3
  for source, panel in zip(picture.SOURCES, shown):
    assert [line["name"] for line in panel["lines"]] == ["ERM", "mixup"]
    (claim,) = (x for x in claims.CLAIMS if x.file == source.file)
    verdict = book.line(claim, found[source.file], to="")[-2]
    assert panel["title"] == f"{source.title}\n{verdict}"
    for line in panel["lines"]:
      assert {len(seed) for seed in line["values"]} == {len(line["x"])}


def test_panel_ends_at_the_epsilon_of_the_table():
  (source,) = (x for x in picture.SOURCES if x.payload == "robustness")
  result = load(source.file)
  panel = picture.panel(source, result)
  mixup = panel["lines"][1]
  claim = next(x for x in claims.CLAIMS if x.file == source.file)
  row, _ = book.pair(claim, result)
  assert mixup["x"][-1] == 4
  assert [seed[-1] for seed in mixup["values"]] == row["values"]
