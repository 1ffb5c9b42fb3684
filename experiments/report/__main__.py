"""Turns result files into the tables of the README and into figures.

    python -m experiments.report              # rewrites documents and figures
    python -m experiments.report RUN/result.json ...    # prints their tables

The table of `experiments/results/NAME.json` stands in one of the documents, the
README or that of the results, between the comments `<!-- NAME -->` and
`<!-- end of NAME -->`.
"""

import argparse
import json
import pathlib
from typing import Sequence

from experiments.report import tables
from mixup_jax.results import figures

ROOT = pathlib.Path(__file__).parent.parent.parent
RESULTS = ROOT / "experiments" / "results"
DOCUMENTS = (ROOT / "README.md", RESULTS / "README.md")


def main(argv: Sequence[str] | None = None) -> None:
  """Rewrites documents and figures, or prints the tables of some files."""
  parser = argparse.ArgumentParser(
    prog="python -m experiments.report", description=__doc__.split("\n")[0]
  )
  parser.add_argument("files", nargs="*", type=pathlib.Path)
  files = parser.parse_args(argv).files
  found = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in files or sorted(RESULTS.glob("*.json"))
  }
  if files:
    print("\n\n".join(tables.table(result) for result in found.values()))
    return
  texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
  made = {name: tables.table(result) for name, result in found.items()}
  for path, text in zip(DOCUMENTS, tables.update(texts, made)):
    path.write_text(text, encoding="utf-8")
  for name, result in found.items():
    figures.draw(result, RESULTS / f"{name}.png")


if __name__ == "__main__":
  main()
