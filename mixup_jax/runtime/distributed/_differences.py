"""What is not the same in several processes, by name."""

import json
from typing import Any, Mapping, Sequence

_MOST_LINES = 10
_MOST_NAMES = 3


def differences(reports: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
  """Names the fields that are not the same in all processes, and who has what.

  Args:
    reports: The host of each process and what it says by field, in values of
      JSON, from process 0 on.

  Returns:
    A line a field, such as `jax: "0.12" on process 3 (d), "0.10" on process 0
    (a)`, with the rarest value first; nothing if all is the same.
  """
  lines = []
  for name in dict.fromkeys(name for _, fields in reports for name in fields):
    holders: dict[str, list[str]] = {}
    for index, (host, fields) in enumerate(reports):
      value = json.dumps(fields[name]) if name in fields else "nothing"
      holders.setdefault(value, []).append(f"process {index} ({host})")
    if len(holders) > 1:
      rarest_first = sorted(holders.items(), key=lambda item: len(item[1]))
      lines.append(
        f"  {name}: "
        + ", ".join(
          f"{value} on {_listed(names)}" for value, names in rarest_first
        )
      )
  if len(lines) > _MOST_LINES:
    lines[_MOST_LINES:] = [f"  and {len(lines) - _MOST_LINES} more"]
  return "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
  """Lists the first names, and counts the others."""
  more = len(names) - _MOST_NAMES
  return " and ".join(names[:_MOST_NAMES]) + (
    f" and {more} more" if more > 0 else ""
  )
