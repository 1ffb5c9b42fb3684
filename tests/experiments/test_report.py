"""Proves that documents and result files say the same."""

import json
import pathlib

import pytest

from experiments import report
from mixup_jax import records

ROOT = pathlib.Path(__file__).parent.parent.parent
RESULTS = sorted((ROOT / "experiments" / "results").glob("*.json"))
each_result = pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)


def load(path):
  return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_results():
  assert "tabular" in [path.stem for path in RESULTS]


def test_the_documents_show_the_results():
  tables = {path.stem: report.table(load(path)) for path in RESULTS}
  texts = [path.read_text(encoding="utf-8") for path in report.DOCUMENTS]
  assert report.update(texts, tables) == texts


@each_result
def test_results_are_whole(path):
  result = load(path)
  assert set(result) == {
      "section", "rows", "config", "environment", "wall_seconds"
  }
  for row in result["rows"]:
    assert set(row) - {"unverified"} == {
        "setting", "method", "metric", "paper", "value", "std", "n", "epochs"
    }
    assert row["n"] >= 1 and row["epochs"] >= 1
  # A commit that ends in "+" was changed: nobody could run it again.
  assert result["environment"]["commit"].isalnum()


def small_result():
  row = lambda setting, method, paper, value, metric="error (%)": {
      "setting": setting, "method": method, "metric": metric, "paper": paper,
      "value": value, "std": 2.0, "n": 4, "epochs": 10
  }  # yapf: disable
  rows = [
      row("a", "guess", None, 50.0),
      row("a", "ERM", 3.0, 4.0),
      row("a", "mixup, alpha 1", 2.0, 2.5),
      row("b", "guess", None, 60.0),
      row("b", "ERM", 8.0, 8.5),
      row("b", "mixup, alpha 1", 9.0, 7.5),
      row("a", "mixup, alpha 1", None, -1.5, metric=records.DIFFERENCE),
      row("b", "mixup, alpha 1", None, -1.0, metric=records.DIFFERENCE),
  ]
  environment = {
      "device": "1 x cpu",
      "processor": "P",
      "cores": 2,
      "jax": "0.1",
      "commit": "abc",
      "date": "2026-01-01"
  }
  return {"rows": rows, "environment": environment, "wall_seconds": 12.3}


def test_a_table_puts_ours_beside_the_papers():
  lines = report.table(small_result()).splitlines()
  assert lines[0] == ("| error (%) | guess | ERM, paper | ERM | mixup, paper | "
                      "mixup, alpha 1 |")
  assert lines[2] == ("| a | 50.00 ± 1.00 | 3.0 | 4.00 ± 1.00 | 2.0 | "
                      "2.50 ± 1.00 |")
  assert lines[3].startswith("| b | 60.00")
  assert lines[-1] == ("Mean ± standard error, n = 4, 10 epochs; 1 x cpu (P, 2 "
                       "cores), jax 0.1, commit abc, 2026-01-01, 12 s for all.")


def test_update_replaces_what_stands_between_the_comments():
  texts = ["x\n", "x\n<!-- a -->\nold\n<!-- end of a -->\ny\n"]
  once = report.update(texts, {"a": "new"})
  assert once == ["x\n", "x\n<!-- a -->\nnew\n<!-- end of a -->\ny\n"]
  assert report.update(once, {"a": "new"}) == once
  with pytest.raises(ValueError, match="one place for b, .*found 0"):
    report.update(texts, {"b": "new"})
  with pytest.raises(ValueError, match="one place for a, .*found 2"):
    report.update(texts + texts, {"a": "new"})


def test_the_figure_is_drawn(tmp_path):
  path = tmp_path / "figure.png"
  report.draw_differences(small_result(), path)
  assert path.read_bytes().startswith(b"\x89PNG")
  assert path.stat().st_size > 5000


def test_files_are_printed(tmp_path, capsys):
  path = tmp_path / "result.json"
  path.write_text(json.dumps(small_result()))
  report.main([str(path)])
  assert "| a | 50.00" in capsys.readouterr().out
