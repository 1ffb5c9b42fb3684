"""Turns result files into tables of documents, and into figures.

    python -m experiments.report              # rewrites documents and figures
    python -m experiments.report RUN/result.json ...    # prints their tables
    python -m experiments.report gs://BUCKET/RUN/result.json

The tables of `experiments/results/NAME.json` are in one of the documents,
between the comments `<!-- NAME -->` and `<!-- end of NAME -->`. The table of
all claims with their verdicts is between those of `claims`, and what the README
shows of it between those of `summary`.
"""

import argparse
import json
import pathlib
from typing import Any, Mapping, Sequence

from experiments.report import book
from experiments.report import picture
from experiments.report import tables
from mixup_jax.results import figures
from mixup_jax.runtime import storage

ROOT = pathlib.Path(__file__).parent.parent.parent
RESULTS = ROOT / "experiments" / "results"
DOCUMENTS = [
  ROOT / "README.md",
  *RESULTS.parent.glob("README.md"),
  *sorted(RESULTS.glob("*.md")),
]


def main(argv: Sequence[str] | None = None) -> None:
  """Rewrites documents and figures, and prints the verdicts.

  With files it prints their tables instead.
  """
  parser = argparse.ArgumentParser(
    prog="python -m experiments.report", description=__doc__.split("\n")[0]
  )
  parser.add_argument("files", nargs="*", metavar="FILE", help="or gs://")
  try:
    names = parser.parse_args(argv).files
    files = [storage.path(name, "FILE") for name in names]
  except ValueError as error:
    parser.error(str(error))
  if files:
    try:
      shown = [_given(path) for path in files]
    except ValueError as error:
      parser.error(str(error))
    print("\n\n".join(shown))
    return
  found = {path.stem: _read(path) for path in sorted(RESULTS.glob("*.json"))}
  texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
  made = make(found)
  for path, text in zip(DOCUMENTS, tables.update(texts, made)):
    path.write_text(text, encoding="utf-8")
  for name, result in found.items():
    figures.draw(result, RESULTS / f"{name}.png")
  figures.draw_panels(picture.panels(found), RESULTS / "claims.png")
  print(made["claims"])


def make(found: Mapping[str, Any]) -> dict[str, str]:
  """Returns the tables of documents by name, of results by name."""
  return {
    **{name: tables.table(result) for name, result in found.items()},
    "claims": book.table(found),
    "summary": book.summary(found),
  }


def _given(path: storage.Path) -> str:
  """Returns the tables of a file that a user names."""
  try:
    return tables.table(_read(path))
  except (ValueError, LookupError, TypeError, AttributeError) as error:
    raise ValueError(
      f"{path} is no result ({type(error).__name__}: {error}): name the "
      "result.json of a run."
    ) from error
  except Exception as error:
    reason = storage.as_os_error(error) or error
    if not isinstance(reason, OSError):
      raise
    raise ValueError(f"{path} cannot be read: {reason}") from error


def _read(path: storage.Path) -> Any:
  """Returns the content of a result file."""
  return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
  main()
