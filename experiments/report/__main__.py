"""Turns result files into tables of documents, and into figures.

    python -m experiments.report              # rewrites documents and figures
    python -m experiments.report RUN/result.json ...    # prints their tables

The tables of `experiments/results/NAME.json` are in one of the documents,
between the comments `<!-- NAME -->` and `<!-- end of NAME -->`.
"""

import argparse
import json
import pathlib
from typing import Any, Sequence

from experiments.report import tables
from mixup_jax.results import figures

ROOT = pathlib.Path(__file__).parent.parent.parent
RESULTS = ROOT / "experiments" / "results"
DOCUMENTS = [
  ROOT / "README.md",
  *RESULTS.parent.glob("README.md"),
  *sorted(RESULTS.glob("*.md")),
]


def main(argv: Sequence[str] | None = None) -> None:
  """Rewrites documents and figures, or prints the tables of some files."""
  parser = argparse.ArgumentParser(
    prog="python -m experiments.report", description=__doc__.split("\n")[0]
  )
  parser.add_argument("files", nargs="*", type=pathlib.Path)
  files = parser.parse_args(argv).files
  if files:
    print("\n\n".join(tables.table(_read(path)) for path in files))
    return
  found = {path.stem: _read(path) for path in sorted(RESULTS.glob("*.json"))}
  texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
  made = {name: tables.table(result) for name, result in found.items()}
  for path, text in zip(DOCUMENTS, tables.update(texts, made)):
    path.write_text(text, encoding="utf-8")
  for name, result in found.items():
    figures.draw(result, RESULTS / f"{name}.png")


def _read(path: pathlib.Path) -> Any:
  """Returns the content of a result file."""
  return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
  main()
