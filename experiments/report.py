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
import re
from typing import Any, Sequence

import matplotlib

matplotlib.use("Agg")  # Draws to files; needs no screen.
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from mixup_jax import records  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent
RESULTS = ROOT / "experiments" / "results"
DOCUMENTS = (ROOT / "README.md", RESULTS / "README.md")


def table(result: dict[str, Any]) -> str:
  """Makes the Markdown table of a result: a line a setting, a column a method.

  Args:
    result: What `result.json` holds. The first metric is shown.

  Returns:
    The table, ours beside the paper's, and a line about where it is from.
  """
  metric = result["rows"][0]["metric"]
  rows = [row for row in result["rows"] if row["metric"] == metric]
  cells = {(row["setting"], row["method"]): row for row in rows}
  settings = list(dict.fromkeys(row["setting"] for row in rows))
  header, columns = [metric], []
  for method in dict.fromkeys(row["method"] for row in rows):
    family = method.split(",")[0]
    paper = f"{family}, paper"
    if paper not in header and cells[settings[0], method]["paper"] is not None:
      header.append(paper)
      columns.append((records.paper_number, method))
    header.append(method)
    columns.append((records.mean_and_error, method))
  lines = [header, ["---"] + ["---:"] * len(columns)]
  for setting in settings:
    lines.append(
        [setting, *(show(cells[setting, method]) for show, method in columns)])
  text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
  return f"{text}\n\n{provenance(result)}"


def provenance(result: dict[str, Any]) -> str:
  """Says where the numbers of a result are from, in one line."""
  environment = result["environment"]
  counts = sorted({row["n"] for row in result["rows"]})
  epochs = sorted({row["epochs"] for row in result["rows"]})
  join = lambda numbers: " or ".join(str(number) for number in numbers)
  return (f"Mean ± standard error, n = {join(counts)}, {join(epochs)} epochs; "
          f"{environment['device']} ({environment['processor']}, "
          f"{environment['cores']} cores), jax {environment['jax']}, commit "
          f"{environment['commit']}, {environment['date']}, "
          f"{result['wall_seconds']:.0f} s for all.")


def update(texts: Sequence[str], tables: dict[str, str]) -> list[str]:
  """Puts tables between their comments.

  Args:
    texts: The documents.
    tables: The tables by name.

  Returns:
    The documents with the tables.

  Raises:
    ValueError: If a table has no place in the documents, or several.
  """
  texts = list(texts)
  for name, content in tables.items():
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    pattern = f"{re.escape(start)}.*?{re.escape(end)}"
    places = [len(re.findall(pattern, text, re.DOTALL)) for text in texts]
    if sum(places) != 1:
      raise ValueError(f"the documents must have one place for {name}, the "
                       f"lines {start.strip()} and {end}; found {sum(places)}.")
    whole = f"{start}{content}\n{end}"
    index = places.index(1)
    texts[index] = re.sub(pattern,
                          lambda _: whole,
                          texts[index],
                          flags=re.DOTALL)
  return texts


def draw_differences(result: dict[str, Any], path: pathlib.Path) -> None:
  """Draws by how much mixup changes the error, with 95 % intervals.

  Args:
    result: A result with paired differences to ERM.
    path: The file to write.
  """
  rows = [row for row in result["rows"] if row["metric"] == records.DIFFERENCE]
  settings = list(dict.fromkeys(row["setting"] for row in rows))
  methods = list(dict.fromkeys(row["method"] for row in rows))
  colors = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(methods)))
  figure, axes = plt.subplots(figsize=(8, 0.75 * len(settings) + 1.4))
  axes.axvline(0, color="0.4", linewidth=1)
  for index, (method, color) in enumerate(zip(methods, colors)):
    chosen = [row for row in rows if row["method"] == method]
    offset = 0.16 * (index - (len(methods) - 1) / 2)
    axes.errorbar([row["value"] for row in chosen],
                  [settings.index(row["setting"]) + offset for row in chosen],
                  xerr=[1.96 * row["std"] / row["n"]**0.5 for row in chosen],
                  fmt="o",
                  markersize=5,
                  capsize=2,
                  color=color,
                  label=method)
  paper = _paper_differences(result)
  axes.plot([paper[setting] for setting in settings],
            range(len(settings)),
            "D",
            markersize=7,
            markerfacecolor="none",
            color="tab:red",
            label="paper")
  axes.set_yticks(range(len(settings)), settings)
  axes.invert_yaxis()
  axes.set_xlabel("test error of mixup minus that of ERM, percentage points; "
                  "left of 0 mixup is better")
  axes.grid(axis="x", color="0.9")
  axes.set_axisbelow(True)
  axes.spines[["top", "right"]].set_visible(False)
  axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
  axes.set_title(
      f"Paired differences over {rows[0]['n']} seeds, {rows[0]['epochs']} "
      "epochs, 95 % intervals",
      loc="left",
      fontsize=11)
  figure.savefig(path,
                 dpi=120,
                 bbox_inches="tight",
                 metadata={"Software": None})
  plt.close(figure)


def _paper_differences(result: dict[str, Any]) -> dict[str, float]:
  """Returns mixup minus ERM in the paper, for each setting."""
  paper: dict[str, dict[str, float]] = {}
  for row in result["rows"]:
    if row["paper"] is not None:
      family = row["method"].split(",")[0]
      paper.setdefault(row["setting"], {})[family] = row["paper"]
  return {name: both["mixup"] - both["ERM"] for name, both in paper.items()}


def main(argv: Sequence[str] | None = None) -> None:
  """Rewrites documents and figures, or prints the tables of some files."""
  parser = argparse.ArgumentParser(prog="python -m experiments.report",
                                   description=__doc__.split("\n")[0])
  parser.add_argument("files", nargs="*", type=pathlib.Path)
  files = parser.parse_args(argv).files
  results = {
      path.stem: json.loads(path.read_text(encoding="utf-8"))
      for path in files or sorted(RESULTS.glob("*.json"))
  }
  if files:
    print("\n\n".join(table(result) for result in results.values()))
    return
  tables = {name: table(result) for name, result in results.items()}
  texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
  for path, text in zip(DOCUMENTS, update(texts, tables)):
    path.write_text(text, encoding="utf-8")
  for name, result in results.items():
    if any(row["metric"] == records.DIFFERENCE for row in result["rows"]):
      draw_differences(result, RESULTS / f"{name}.png")


if __name__ == "__main__":
  main()
