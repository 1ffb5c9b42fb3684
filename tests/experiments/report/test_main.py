"""Tests of the documents that show result files."""

import json
import string

import pytest

from experiments.report import __main__ as report
from experiments.report import book
from experiments.report import claims
from experiments.report import picture
from experiments.report import tables
from mixup_jax import results
from mixup_jax.runtime import storage

RESULTS = sorted(report.RESULTS.glob("*.json"))
# These have none: a GAN has iterations, and a cost estimate trains nothing.
WITHOUT_EPOCHS = ("gan", "rehearsal", "speed")
KEY_CHARACTERS = string.ascii_lowercase + string.digits + "_."
each_result = pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)


def load(path):
  return json.loads(path.read_text(encoding="utf-8"))


def test_results_are_found():
  assert "tabular" in [path.stem for path in RESULTS]


def test_documents_show_the_results():
  made = report.make({path.stem: load(path) for path in RESULTS})
  texts = [path.read_text(encoding="utf-8") for path in report.DOCUMENTS]
  assert tables.update(texts, made) == texts


@each_result
def test_results_have_all_fields(path):
  result = load(path)
  optional = results.Result.__optional_keys__ - {"wall_seconds"} | {"goodput"}
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
      "key",
      "metric",
      "paper",
      "value",
      "std",
      "n",
      "epochs",
    }
    assert (row["n"] >= 1) == (row["value"] is not None)
    # What was left out has no number of the paper: those are in `not_run`.
    assert row["n"] or row["paper"] is None
    if row["n"] and not path.stem.startswith(WITHOUT_EPOCHS):
      assert row["epochs"] >= 1  # Not all of the paper's are known.
  # A commit that ends in "+" was changed: nobody could run it again.
  assert result["environment"]["commit"].isalnum()


@each_result
def test_results_name_methods_by_key(path):
  result = load(path)
  named = [*result["rows"]]
  for name in ("curves", "pairs", "robustness", "reliability", "snapshots"):
    named += result.get(name, [])
  for item in [*named, *result.get("heat_maps", [])]:
    assert item["key"] == "erm" or item["method"] != "ERM"
    assert item["key"] and set(item["key"]) <= set(KEY_CHARACTERS)


def test_main_prints_the_tables_of_files(capsys, tmp_path):
  first = report.RESULTS / "tabular.json"
  second = tmp_path / "tabular.json"  # As each run calls it result.json.
  second.write_text((report.RESULTS / "rings.json").read_text("utf-8"))
  report.main([str(first), str(second)])
  out = capsys.readouterr().out
  assert "| iris | 66.67" in out and "| two rings | 8.74" in out


def test_main_prints_the_tables_of_a_file_in_a_bucket(capsys, bucket):
  path = storage.path(f"{bucket}/run/result.json", "FILE")
  path.write_bytes((report.RESULTS / "rings.json").read_bytes())
  report.main([str(path)])
  assert "| two rings | 8.74" in capsys.readouterr().out


def test_main_refuses_other_addresses(capsys):
  with pytest.raises(SystemExit):
    report.main(["s3://bucket/result.json"])
  assert "FILE=s3://bucket/result.json: s3:// is" in capsys.readouterr().err


def test_main_rewrites_documents_and_draws(monkeypatch, tmp_path, capsys):
  result = load(report.RESULTS / "tabular.json")
  (tmp_path / "x.json").write_text(json.dumps(result))
  page = tmp_path / "tabular.md"
  names = ("x", "claims", "summary")
  page.write_text(
    "".join(f"<!-- {name} -->\n<!-- end of {name} -->\n" for name in names)
  )
  claim = next(x for x in claims.CLAIMS if x.file == "tabular")
  monkeypatch.setattr(claims, "CLAIMS", [claim._replace(file="x")])
  monkeypatch.setattr(picture, "SOURCES", ())
  monkeypatch.setattr(report, "RESULTS", tmp_path)
  monkeypatch.setattr(report, "DOCUMENTS", [page])
  report.main([])
  assert tables.table(result) in page.read_text()
  printed = capsys.readouterr().out.strip()
  assert printed == book.table({"x": result}) and printed in page.read_text()
  assert (tmp_path / "x.png").stat().st_size > 1000


def test_documents_are_readme_and_pages():
  names = [path.relative_to(report.ROOT) for path in report.DOCUMENTS]
  assert str(names[0]) == "README.md" and len(names) > 1
  pages = {path.name for path in report.RESULTS.glob("*.md")}
  assert pages <= {path.name for path in names}


@pytest.mark.parametrize(
  ("text", "words"),
  (
    (None, "cannot be read: [Errno 2] No such file"),
    ("{", "is no result (JSONDecodeError: Exp"),
    ("[]", "is no result (TypeError: list indices"),
    ('{"rows": []}', "is no result (KeyError: 'environment'): name the resul"),
  ),
)
def test_main_refuses_what_is_no_result(tmp_path, capsys, text, words):
  path = tmp_path / "result.json"
  if text is not None:
    path.write_text(text)
  with pytest.raises(SystemExit) as status:
    report.main([str(RESULTS[0]), str(path)])
  printed = capsys.readouterr()
  assert status.value.code == 2 and not printed.out
  assert words in printed.err.splitlines()[-1]
