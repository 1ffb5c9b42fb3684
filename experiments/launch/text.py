"""Templates, and words quoted for where they go.

A template is the file itself, with `<<name>>` where a job differs. A line that
is nothing but a name takes any number of lines, none included.
"""

import json
import re
import shlex
from typing import Mapping

# Words that YAML takes for text; it takes yes for true, and 1e3 for 1000.
_PLAIN = re.compile(r"-{0,2}[A-Za-z][\w.:/=,-]*[\w/=]")
_NOT_TEXT = ("true", "false", "yes", "no", "on", "off", "null")


def fill(template: str, values: Mapping[str, str]) -> str:
  """Returns a template with values in the places of their names."""
  lines = []
  for line in template.splitlines():
    alone = re.fullmatch(r"( *)<<(\w+)>>", line)
    if alone:
      lines += [alone[1] + each for each in values[alone[2]].splitlines()]
    else:
      lines.append(re.sub(r"<<(\w+)>>", lambda found: values[found[1]], line))
  return "\n".join(lines) + "\n"


def yaml(word: str) -> str:
  """Returns a word as YAML that is read as text, and as nothing else."""
  if _PLAIN.fullmatch(word) and word.lower() not in _NOT_TEXT:
    return word
  return json.dumps(word)


def shell(words: list[str]) -> str:
  """Returns the command "PYTHON -m MODULE FLAGS" for a shell, a flag a line."""
  python, dash_m, module, *flags = words
  first = f"{python} {dash_m} {module}"  # Unquoted: `~` is for the shell.
  return " \\\n    ".join((first, *map(shlex.quote, flags)))
