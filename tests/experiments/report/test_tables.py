"""Proves the Markdown tables, and how they come into the documents."""

import pytest

from experiments.report import tables


def small_result():
  def row(setting, method, paper, value, metric="error (%)"):
    return {
      "setting": setting,
      "method": method,
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


def test_a_table_puts_ours_beside_the_papers():
  lines = tables.table(small_result()).splitlines()
  assert lines[0] == (
    "| error (%) | guess | ERM, paper | ERM | mixup, paper | mixup, alpha 1 |"
  )
  assert lines[2] == (
    "| a | 50.00 ± 1.00 | 3.0 | 4.00 ± 1.00 | 2.0 | 2.50 ± 1.00 |"
  )
  assert lines[3].startswith("| b | 60.00")
  assert lines[-1] == (
    "Mean ± standard error, n = 4, 10 epochs; 1 x cpu (P, 2 "
    "cores), jax 0.1, commit abc, 2026-01-01, 12 s for all."
  )


def test_a_layout_says_what_lines_and_columns_are():
  result = small_result()
  result["layout"] = {
    "lines": ["method"],
    "columns": "setting",
    "metrics": ["error (%)"],
  }
  lines = tables.table(result).splitlines()
  assert lines[0] == "| method | a, paper | a | b, paper | b |"
  assert lines[3] == "| ERM | 3.0 | 4.00 ± 1.00 | 8.0 | 8.50 ± 1.00 |"
  result["layout"] = {
    "lines": ["setting", "method"],
    "columns": "metric",
    "metrics": ["error (%)", "nll"],
  }
  lines = tables.table(result).splitlines()
  assert lines[0] == (
    "| setting | method | error (%), paper | error (%) | nll |"
  )
  assert lines[1] == "| --- | --- | ---: | ---: | ---: |"
  assert lines[4] == (
    "| a | mixup, alpha 1 | 2.0 | 2.50 ± 1.00 | 0.30 ± 1.00 |"
  )
  assert lines[5] == "| b | guess | - | 60.00 ± 1.00 | - |"


def test_update_replaces_what_stands_between_the_comments():
  texts = ["x\n", "x\n<!-- a -->\nold\n<!-- end of a -->\ny\n"]
  once = tables.update(texts, {"a": "new"})
  assert once == ["x\n", "x\n<!-- a -->\nnew\n<!-- end of a -->\ny\n"]
  assert tables.update(once, {"a": "new"}) == once
  with pytest.raises(ValueError, match="one place for b, .*found 0"):
    tables.update(texts, {"b": "new"})
  with pytest.raises(ValueError, match="one place for a, .*found 2"):
    tables.update(texts + texts, {"a": "new"})


def test_what_was_not_run_says_so():
  result = small_result()
  result["rows"] = [
    row
    for row in result["rows"]
    if (row["setting"], row["method"]) != ("b", "guess")
    and row["metric"] != "nll"
  ]
  result["rows"][-1].update(value=None, n=0, epochs=200)
  lines = tables.table(result).splitlines()
  assert lines[3] == "| b | - | 8.0 | 8.50 ± 1.00 | 9.0 | not run |"
  assert "n = 4, 10 epochs" in lines[-1]


def test_what_has_no_epochs_names_none():
  result = small_result()
  for row in result["rows"]:
    row["epochs"] = 0
  assert "n = 4; 1 x cpu" in tables.provenance(result)
  result["wall_seconds"] = 0.0  # Nor a time, where it says nothing.
  assert tables.provenance(result).endswith("2026-01-01.")
