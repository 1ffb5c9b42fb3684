"""Proves that documents and result files say the same."""

import json

import pytest

from experiments.report import __main__ as report
from experiments.report import tables
from mixup_jax import results

RESULTS = sorted(report.RESULTS.glob("*.json"))
# These have none: a GAN has iterations, and a rehearsal trains nothing.
WITHOUT_EPOCHS = ("gan", "rehearsal")
each_result = pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)


def load(path):
  return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_results():
  assert "tabular" in [path.stem for path in RESULTS]


def test_the_documents_show_the_results():
  made = {path.stem: tables.table(load(path)) for path in RESULTS}
  texts = [path.read_text(encoding="utf-8") for path in report.DOCUMENTS]
  assert tables.update(texts, made) == texts


@each_result
def test_results_are_whole(path):
  result = load(path)
  optional = results.Result.__optional_keys__ - {"wall_seconds"}
  assert set(result) - optional == {
    "section",
    "rows",
    "config",
    "environment",
    "wall_seconds",
  }
  for row in result["rows"]:
    assert set(row) - results.Row.__optional_keys__ == {
      "setting",
      "method",
      "metric",
      "paper",
      "value",
      "std",
      "n",
      "epochs",
    }
    assert (row["n"] >= 1) == (row["value"] is not None)
    if row["n"] and not path.stem.startswith(WITHOUT_EPOCHS):
      assert row["epochs"] >= 1  # Not all of the paper's are known.
  # A commit that ends in "+" was changed: nobody could run it again.
  assert result["environment"]["commit"].isalnum()


def test_files_are_printed(capsys):
  report.main([str(report.RESULTS / "tabular.json")])
  assert "| iris | 66.67" in capsys.readouterr().out
