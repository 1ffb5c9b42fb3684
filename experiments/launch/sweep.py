"""The cells of a sweep: each is a job of its own."""

import difflib
import itertools
from typing import Any, NamedTuple, Sequence

from mixup_jax.recipes import ranges

_SEEDS = "seeds"


class Cell(NamedTuple):
  """A job of a sweep.

  Attributes:
    name: Such as "alpha_0.1-seed_2", "" of a job alone.
    flags: What it adds to the command.
  """

  name: str
  flags: tuple[str, ...]


def cells(words: Sequence[str], config: Any) -> list[Cell]:
  """Returns every combination of the values of fields.

  Args:
    words: Each "FIELD=VALUE,VALUE": a field of the config, or the last part of
      its name if one field alone has it. "seeds=N" is one job a seed.
    config: The config.

  Returns:
    The cells; one without a name if there are no words.

  Raises:
    ValueError: If the config has no such field, or two cells would be the same.
  """
  known = dict(ranges.leaves(config))
  fields = [_field(word.partition("=")[0], known) for word in words]
  axes = [_axis(word, field, known) for word, field in zip(words, fields)]
  made = [
    Cell(
      "-".join(cell.name for cell in parts),
      tuple(flag for cell in parts for flag in cell.flags),
    )
    for parts in itertools.product(*axes)
  ]
  for names in (fields, [cell.name for cell in made]):
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
      raise ValueError(
        f"--sweep {' '.join(words)}: {twice[0]} is there twice: give each "
        "field and each value once."
      )
  return made


def _axis(word: str, field: str, known: dict[str, Any]) -> list[Cell]:
  """Returns a cell for each value of a field."""
  _, equals, text = word.partition("=")
  values = text.split(",")
  if not equals or "" in values:
    raise ValueError(
      f"--sweep {word}: write FIELD=VALUE,VALUE, such as alpha=0.1,0.2 or "
      "seeds=3."
    )
  if field == _SEEDS:
    return _seeds(word, text, known)
  short = field.rpartition(".")[2]
  return [
    Cell(f"{short}_{value}", (f"--config.{field}={value}",)) for value in values
  ]


def _seeds(word: str, text: str, known: dict[str, Any]) -> list[Cell]:
  """Returns a cell for each of so many seeds."""
  if not text.isdecimal() or int(text) < 1 or "first_seed" not in known:
    raise ValueError(
      f"--sweep {word}: seeds is how many, at least 1, and the config must "
      "have a field first_seed."
    )
  first = known["first_seed"]
  return [
    Cell(f"seed_{seed}", ("--config.seeds=1", f"--config.first_seed={seed}"))
    for seed in range(first, first + int(text))
  ]


def _field(given: str, known: dict[str, Any]) -> str:
  """Returns the dotted name of a field that is given in full or by its end."""
  if given in known:
    return given
  ends = [name for name in known if name.rpartition(".")[2] == given]
  if len(ends) == 1:
    return ends[0]
  close = difflib.get_close_matches(given, known, n=3) or list(known)
  raise ValueError(
    f"--sweep {given}: "
    + (
      f"several fields end so: write one of {', '.join(ends)}."
      if ends
      else f"the config has no such field; it has {', '.join(close)}."
    )
  )
