"""Tables in Markdown, and their places in the documents."""

import re
from typing import Any, Callable, Sequence

from mixup_jax import results


def table(result: dict[str, Any]) -> str:
  """Makes the Markdown table of a result, ours beside the paper's.

  Args:
    result: What `result.json` holds, with `results.Layout` or without.

  Returns:
    The table, and a line about where it is from.
  """
  layout = result.get("layout") or results.Layout(
      lines=["setting"],
      columns="method",
      metrics=[result["rows"][0]["metric"]])
  rows = [row for row in result["rows"] if row["metric"] in layout["metrics"]]
  line_of = lambda row: tuple(row[key] for key in layout["lines"])
  column_of = lambda row: row[layout["columns"]]
  cells = {(line_of(row), column_of(row)): row for row in rows}
  show_cell = lambda show, *cell: show(cells[cell]) if cell in cells else "-"
  header, columns = _columns(rows, column_of)
  names = layout["metrics"][:1]  # Of the lines; a single metric says of what.
  if len(layout["metrics"]) > 1 or layout["columns"] != "method":
    names = layout["lines"]
  lines = [[*names, *header], ["---"] * len(names) + ["---:"] * len(columns)]
  for line in dict.fromkeys(map(line_of, rows)):
    lines.append([*line, *(show_cell(s, line, c) for s, c in columns)])
  text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
  return f"{text}\n\n{provenance(result)}"


def _columns(
    rows: Sequence[dict[str, Any]], column_of: Callable[[dict[str, Any]], str]
) -> tuple[list[str], list[tuple[Callable[..., str], str]]]:
  """Returns the header, and for each column how it shows which cell."""
  header: list[str] = []
  columns: list[tuple[Callable[..., str], str]] = []
  for name in dict.fromkeys(map(column_of, rows)):
    own = [row for row in rows if column_of(row) == name]
    # Of one method at several alphas, the paper has one number.
    family = name.split(",")[0] if name == own[0]["method"] else name
    paper = f"{family}, paper"
    if paper not in header and any(row["paper"] is not None for row in own):
      header.append(paper)
      columns.append((results.paper_number, name))
    header.append(name)
    columns.append((results.mean_and_error, name))
  return header, columns


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
