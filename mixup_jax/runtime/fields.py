"""Fields of a config that a command line overrides, but that do not exist."""

import difflib
import os
from typing import Sequence

from absl import flags
from ml_collections import config_flags

from mixup_jax.recipes import ranges


def check(words: Sequence[str], config_file: str | os.PathLike[str]) -> None:
  """Raises ValueError for an override of a field that the config lacks.

  Args:
    words: The words of the command line.
    config_file: The config, unless `--config` names another.

  Raises:
    ValueError: With close names, and those beside the one that is missing.
  """
  given = [word.lstrip("-").partition("=")[::2] for word in words]
  path = dict(given).get("config") or os.fspath(config_file)
  plain = flags.FlagValues()
  config_flags.DEFINE_config_file(
    "config", path, flag_values=plain, sys_argv=[]
  )
  plain(["", f"--config={path}"])
  known = [f"config.{name}" for name, _ in ranges.leaves(plain.config)]
  parents = {_parent(name) for name in known}
  for name, _ in given:
    if not name.startswith("config.") or name in parents.union(known):
      continue
    by_last = {each.rpartition(".")[2]: each for each in known}
    close = difflib.get_close_matches(name.rpartition(".")[2], by_last, n=1)
    hint = f"did you mean --{by_last[close[0]]}? " if close else ""
    where = _parent(name) if _parent(name) in parents else "config"
    beside = [x.rpartition(".")[2] for x in known if _parent(x) == where]
    raise ValueError(
      f"--{name}: the config has no such field; {hint}The fields of {where} "
      f"are {', '.join(beside)}."
    )


def _parent(name: str) -> str:
  """Returns the dotted name of what holds a field."""
  return name.rpartition(".")[0]
