"""Tables in Markdown, and their places in the documents."""

import re
from typing import Any, Sequence

from mixup_jax import results


def table(result: dict[str, Any]) -> str:
  """Makes the Markdown table of a result, ours beside the paper's.

  Args:
    result: What `result.json` holds.

  Returns:
    The table, and a line about where it is from.
  """
  header, *lines = results.laid_out(result)
  # Words to the left, numbers to the right.
  rule = [
    "---:" if all(map(results.is_number, column)) else "---"
    for column in zip(*lines)
  ]
  text = "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *lines))
  return f"{text}\n\n{provenance(result)}"


def provenance(result: dict[str, Any]) -> str:
  """Says where the numbers of a result are from, in one line."""
  environment = result["environment"]
  run = [row for row in result["rows"] if row["n"]]
  counts = sorted({row["n"] for row in run})
  epochs = sorted({row["epochs"] for row in run} - {0})  # 0: there are none.

  def join(numbers: Sequence[int]) -> str:
    return " or ".join(str(number) for number in numbers)

  spread = "Mean ± standard error, " if max(counts) > 1 else ""
  trained = f", {join(epochs)} epochs" if epochs else ""
  seconds = round(result["wall_seconds"])
  took = f", {seconds} s for all" if seconds else ""
  return (
    f"{spread}n = {join(counts)}{trained}; "
    f"{environment['device']} ({environment['processor']}, "
    f"{environment['cores']} cores), jax {environment['jax']}, commit "
    f"{environment['commit']}, {environment['date']}{took}."
  )


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
