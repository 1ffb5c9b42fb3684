"""Tables in Markdown, and their places in documents."""

import re
from typing import Any, Mapping, Sequence

from mixup_jax import results

_NOT_RUN_WIDTH = 400  # Characters of the line about what was not run.


def table(result: Mapping[str, Any]) -> str:
  """Returns the tables of a result in Markdown, ours beside the paper's.

  Args:
    result: The content of `result.json`.

  Returns:
    A table for each block, named in its corner; then a line about the origin
    of the numbers, and one about the paper's that were not run, if any.
  """
  parts = [_block(*block) for block in results.blocks(result)]
  parts.append(provenance(result))
  if result.get("not_run"):
    parts.append(results.describe_not_run(result, width=_NOT_RUN_WIDTH))
  return "\n\n".join(parts)


def _block(name: str, cells: Sequence[Sequence[str]]) -> str:
  """Returns one table, words to the left and numbers to the right."""
  header, *lines = cells
  rule = [
    "---:" if all(map(results.is_number, column)) else "---"
    for column in zip(*lines)
  ]
  rows = ([name, *header[1:]], rule, *lines)
  return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def provenance(result: Mapping[str, Any]) -> str:
  """Returns the origin of the numbers of a result, in one line."""
  environment = result["environment"]
  seconds = round(result["wall_seconds"])
  took = f", {seconds} s for all" if seconds else ""
  return (
    f"{results.describe_runs(result['rows'])}; "
    f"{environment['device']} ({environment['processor']}, "
    f"{environment['cores']} cores), jax {environment['jax']}, commit "
    f"{environment['commit']}, {environment['date']}{took}."
  )


def update(texts: Sequence[str], tables: Mapping[str, str]) -> list[str]:
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
      raise ValueError(
        f"the documents must have one place for {name}, the "
        f"lines {start.strip()} and {end}; found {sum(places)}."
      )
    whole = f"{start}{content}\n{end}"
    index = places.index(1)
    texts[index] = re.sub(
      pattern, lambda _: whole, texts[index], flags=re.DOTALL
    )
  return texts
