"""Tables in Markdown, and their places in the documents."""

import re
from typing import Any, Sequence

from mixup_jax import results


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
  show_cell = lambda show, *cell: show(cells[cell]) if cell in cells else "-"
  settings = list(dict.fromkeys(row["setting"] for row in rows))
  header, columns = [metric], []
  for method in dict.fromkeys(row["method"] for row in rows):
    family = method.split(",")[0]
    paper = f"{family}, paper"
    if paper not in header and any(
        row["paper"] is not None for row in rows if row["method"] == method):
      header.append(paper)
      columns.append((results.paper_number, method))
    header.append(method)
    columns.append((results.mean_and_error, method))
  lines = [header, ["---"] + ["---:"] * len(columns)]
  for setting in settings:
    lines.append([setting, *(show_cell(s, setting, m) for s, m in columns)])
  text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
  return f"{text}\n\n{provenance(result)}"


def provenance(result: dict[str, Any]) -> str:
  """Says where the numbers of a result are from, in one line."""
  environment = result["environment"]
  run = [row for row in result["rows"] if row["n"]]
  counts = sorted({row["n"] for row in run})
  epochs = sorted({row["epochs"] for row in run})
  join = lambda numbers: " or ".join(str(number) for number in numbers)
  spread = "Mean ± standard error, " if max(counts) > 1 else ""
  return (f"{spread}n = {join(counts)}, {join(epochs)} epochs; "
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
