"""Tests of blocks of cells from rows, ours beside the paper's."""

import json
import pathlib

import pytest

from mixup_jax import results
from mixup_jax.results import table
from mixup_jax.results.alignment import WIDTH

ROW = results.Row(
  setting="iris",
  method="ERM",
  key="erm",
  metric="test error (%)",
  paper=21.3,
  value=14.43,
  std=5.0,
  n=25,
  epochs=10,
)
COMMITTED = sorted(
  (pathlib.Path(__file__).parents[2] / "experiments/results").glob("*.json")
)


def mixup(alpha, **more):
  method = results.Method("mixup", f"mixup, alpha {alpha:g}", alpha)
  return {**ROW, **method.names(), **more}


def test_mean_and_error_of_a_row_without_a_value():
  row = {**ROW, "value": None, "n": 0}
  assert results.mean_and_error(row) == "not run"
  assert results.mean_and_error({**row, "n": 3}) == "nan"
  assert results.mean_and_error({**ROW, "value": float("nan")}) == "nan"
  assert results.is_number("not run") and results.is_number("nan")


def test_mean_and_error_has_the_standard_error():
  assert results.mean_and_error(ROW) == "14.43 ± 1.00"
  assert results.mean_and_error({**ROW, "n": 1}) == "14.43"


def test_mean_and_error_has_the_decimals_of_the_row():
  count = {**ROW, "n": 1, "value": 33.0, "decimals": 0}
  assert results.mean_and_error(count) == "33"
  assert results.mean_and_error({**ROW, "decimals": 1}) == "14.4 ± 1.0"
  small = {**ROW, "n": 1, "value": 1e-7, "decimals": 4}
  assert results.mean_and_error(small) == "<0.0001"
  assert results.is_number("<0.0001")
  assert results.mean_and_error({**small, "value": 0.0}) == "0.0000"


def test_mean_and_error_of_a_p_value_has_no_spread():
  row = results.Row(**{**ROW, "metric": results.P_VALUE, "value": 0.0123})
  assert results.mean_and_error(row) == "0.012"


def test_paper_number_has_the_decimals_of_the_paper():
  assert results.paper_number(ROW) == "21.3"
  assert results.paper_number({**ROW, "paper": 74}) == "74.0"
  assert results.paper_number({**ROW, "paper": 0.28}) == "0.28"
  assert results.paper_number({**ROW, "paper": None}) == "-"
  assert results.paper_number({**ROW, "paper": 5.53}) == "5.53"
  assert results.paper_number({**ROW, "paper": 2.0}) == "2.0"


def test_blocks_follow_the_layout():
  rows = [
    {**ROW, "n": 1, "setting": setting, "metric": metric, "value": value}
    for setting, metric, value in (
      ("a", "best", 1.0),
      ("a", "last", 2.0),
      ("b", "last", 4.0),
      ("b", "time", 8.0),
    )
  ]
  layout = results.Layout(
    lines="setting", columns="metric", metrics=["last", "best"]
  )
  (block,) = results.blocks({"rows": rows, "layout": layout})
  assert block.name == "ERM"  # Neither lines nor columns.
  assert block.cells == [
    ["", "last, paper", "last", "best, paper", "best"],
    ["a", "21.3", "2.00", "21.3", "1.00"],
    ["b", "21.3", "4.00", "-", "-"],
  ]


def test_blocks_without_a_layout_show_everything():
  rows = [
    {**ROW, "setting": setting, "metric": metric, "paper": None, "n": 1}
    for setting in "ab"
    for metric in ("best", "last")
  ]
  first, second = results.blocks({"rows": rows})
  assert (first.name, second.name) == ("a", "b")
  assert first.cells == [["", "ERM"], ["best", "14.43"], ["last", "14.43"]]
  # Of a single metric the settings are lines.
  (block,) = results.blocks({"rows": rows[::2]})
  assert block.name == "best" and [c[0] for c in block.cells] == ["", "a", "b"]
  assert results.blocks({"rows": []}) == []


def test_blocks_show_the_papers_number_of_a_key_once():
  rows = [ROW, *(mixup(alpha, paper=17.3) for alpha in (0.1, 0.2))]
  (block,) = results.blocks({"rows": rows})
  assert block.cells[0] == [
    "",
    "ERM, paper",
    "ERM",
    "mixup, paper",
    "mixup, alpha 0.1",
    "mixup, alpha 0.2",
  ]
  assert block.cells[1][3] == "17.3"


def test_blocks_show_different_numbers_of_a_key_apart():
  rows = [mixup(0.1, paper=4.0), mixup(0.2, paper=3.9)]
  (block,) = results.blocks({"rows": rows})
  assert block.cells[0][1:] == [
    "mixup, alpha 0.1, paper",
    "mixup, alpha 0.1",
    "mixup, alpha 0.2, paper",
    "mixup, alpha 0.2",
  ]
  assert (block.cells[1][1], block.cells[1][3]) == ("4.0", "3.9")


def test_format_result_names_blocks_runs_and_what_is_missing():
  rows = [{**ROW, "n": 1, "setting": s, "metric": "last"} for s in "ab"]
  rows.append({**rows[0], "metric": "best", "paper": None})
  missing = [
    results.NotRun(setting="c", method="ERM", metric="last", paper=3.0)
  ]
  assert table.format_result(
    {"rows": rows, "not_run": missing}
  ).splitlines() == [
    "a",
    "      ERM, paper    ERM",
    "----  ----------  -----",
    "last        21.3  14.43",
    "best           -  14.43",
    "",
    "b",
    "      ERM, paper    ERM",
    "----  ----------  -----",
    "last        21.3  14.43",
    "",
    "n = 1, 10 epochs.",
    "Not run: 1 of the paper's 3 numbers (c: ERM 3.0)",
  ]


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_format_result_of_committed_results_fits_a_terminal(path):
  result = json.loads(path.read_text(encoding="utf-8"))
  text = table.format_result(result)
  assert max(map(len, text.splitlines())) <= WIDTH
  # Nothing is lost: each cell of each block is there.
  words = text.split()
  for block in results.blocks(result):
    for line in block.cells:
      assert set(" ".join(line).split()) <= set(words)
