"""Tests of tables in Markdown, and of their places in documents."""

import pytest

from experiments.report import tables


def small_result():
  def row(setting, method, paper, value, metric="error (%)"):
    return {
      "setting": setting,
      "method": method,
      "key": method.split(",")[0].lower(),
      "metric": metric,
      "paper": paper,
      "value": value,
      "std": 2.0,
      "n": 4,
      "epochs": 10,
    }

  rows = [
    row("a", "guess", None, 50.0),
    row("a", "ERM", 3.0, 4.0),
    row("a", "mixup, alpha 1", 2.0, 2.5),
    row("b", "guess", None, 60.0),
    row("b", "ERM", 8.0, 8.5),
    row("b", "mixup, alpha 1", 9.0, 7.5),
    row("a", "mixup, alpha 1", None, 0.3, metric="nll"),
  ]
  environment = {
    "device": "1 x cpu",
    "processor": "P",
    "cores": 2,
    "jax": "0.1",
    "commit": "abc",
    "date": "2026-01-01",
  }
  return {"rows": rows, "environment": environment, "wall_seconds": 12.3}


LAYOUT = {"lines": "setting", "columns": "method", "metrics": ["error (%)"]}


def test_table_puts_ours_beside_the_papers():
  result = {**small_result(), "layout": LAYOUT}
  lines = tables.table(result).splitlines()
  assert lines[0] == (
    "| error (%) | guess | ERM, paper | ERM | mixup, alpha 1, paper | "
    "mixup, alpha 1 |"
  )
  assert lines[1] == "| --- | ---: | ---: | ---: | ---: | ---: |"
  assert lines[2] == (
    "| a | 50.00 ± 1.00 | 3.0 | 4.00 ± 1.00 | 2.0 | 2.50 ± 1.00 |"
  )
  assert lines[3].startswith("| b | 60.00")
  assert lines[-1] == (
    "Mean ± standard error, n = 4, 10 epochs; 1 x cpu (P, 2 "
    "cores), jax 0.1, commit abc, 2026-01-01, 12 s for all."
  )


def test_table_has_a_part_for_each_block():
  result = small_result()
  result["layout"] = {
    "lines": "method",
    "columns": "setting",
    "metrics": ["error (%)"],
  }
  lines = tables.table(result).splitlines()
  assert lines[0] == "| error (%) | a, paper | a | b, paper | b |"
  assert lines[3] == "| ERM | 3.0 | 4.00 ± 1.00 | 8.0 | 8.50 ± 1.00 |"
  result["layout"] = {
    "lines": "method",
    "columns": "metric",
    "metrics": ["error (%)", "nll"],
  }
  first, second, _ = tables.table(result).split("\n\n")
  lines = first.splitlines()
  assert lines[0] == "| a | error (%), paper | error (%) | nll |"
  assert lines[1] == "| --- | ---: | ---: | ---: |"
  assert lines[4] == "| mixup, alpha 1 | 2.0 | 2.50 ± 1.00 | 0.30 ± 1.00 |"
  lines = second.splitlines()
  assert lines[0] == "| b | error (%), paper | error (%) |"
  assert lines[2] == "| guess | - | 60.00 ± 1.00 |"


def test_update_replaces_what_is_between_the_comments():
  texts = ["x\n", "x\n<!-- a -->\nold\n<!-- end of a -->\ny\n"]
  once = tables.update(texts, {"a": "new"})
  assert once == ["x\n", "x\n<!-- a -->\nnew\n<!-- end of a -->\ny\n"]
  assert tables.update(once, {"a": "new"}) == once
  with pytest.raises(ValueError, match="one place for b, .*found 0"):
    tables.update(texts, {"b": "new"})
  with pytest.raises(ValueError, match="one place for a, .*found 2"):
    tables.update(texts + texts, {"a": "new"})


def test_table_shows_rows_without_a_value_and_what_was_not_run():
  result = {**small_result(), "layout": LAYOUT}
  result["rows"] = [
    row
    for row in result["rows"]
    if (row["setting"], row["method"]) != ("b", "guess")
    and row["metric"] != "nll"
  ]
  result["rows"][-1].update(value=None, n=0, epochs=200)
  result["not_run"] = [
    {"setting": "c", "method": "ERM", "metric": "error (%)", "paper": 1.5}
  ]
  lines = tables.table(result).splitlines()
  assert lines[3] == "| b | - | 8.0 | 8.50 ± 1.00 | 9.0 | not run |"
  assert "n = 4, 10 epochs" in lines[-3]
  assert lines[-1] == "Not run: 1 of the paper's 5 numbers (c: ERM 1.5)"


def test_provenance_leaves_out_what_there_is_not():
  result = small_result()
  for row in result["rows"]:
    row["epochs"] = 0
  assert "n = 4; 1 x cpu" in tables.provenance(result)
  result["wall_seconds"] = 0.0  # Nor a time of zero.
  assert tables.provenance(result).endswith("2026-01-01.")
