"""Lists the differences between several processes."""

import json
from typing import Any, Mapping, Sequence

_MOST_LINES = 10
_MOST_NAMES = 3


def differences(reports: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
  """Lists the fields that differ between processes, with the value of each.

  Args:
    reports: The host of each process, from process 0 on, and its JSON values by
      field.

  Returns:
    One line per field, such as `jax: "0.12" on process 3 (d), "0.10" on process
    0 (a)`, with the rarest value first; empty if all processes agree.
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
  """Returns the first names, and the number of the others."""
  more = len(names) - _MOST_NAMES
  return " and ".join(names[:_MOST_NAMES]) + (
    f" and {more} more" if more > 0 else ""
  )
