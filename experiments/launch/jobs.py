"""The jobs of a command line: one, or one for each cell of a sweep."""

import argparse
import pathlib
import shlex
from typing import Any, Sequence

from experiments.launch import checks
from experiments.launch import sweep
from experiments.launch.job import Job
from mixup_jax.recipes import ranges
from mixup_jax.runtime import arguments

_ROOT = pathlib.Path(__file__).parents[2]


def make(given: argparse.Namespace, flags: list[str]) -> list[tuple[str, Job]]:
  """Returns the jobs of a command line, with the names of their cells.

  Args:
    given: The options.
    flags: Those of the section.

  Returns:
    Pairs; the name of a job alone is "".

  Raises:
    ValueError: If a value cannot be right; it names the value and the remedy.
  """
  options = checks.options(given)
  devices = checks.devices(given, options)
  checks.config_file(flags)
  values = _section(given.section, flags)
  cache = given.compile_cache or f"{given.workdir.rstrip('/')}/compile_cache"
  checks.place(given.kind, "--workdir", given.workdir)
  checks.place(given.kind, "--compile_cache", cache)
  jobs = []
  for cell in sweep.cells(given.sweep, values.config):
    config = _section(given.section, [*flags, *cell.flags]).config
    ranges.check(config)
    checks.data(given.kind, config)
    job = Job(
      name=checks.name(given.name, cell.name),
      section=given.section,
      flags=(*flags, *cell.flags),
      slice=devices,
      slices=given.slices,
      workdir="/".join(filter(None, (given.workdir.rstrip("/"), cell.name))),
      compile_cache=cache,
      grace=given.grace,
      made_by=_made_by(given, flags, options),
      options=options,
    )
    jobs.append((cell.name, job))
  return jobs


def _section(section: str, flags: Sequence[str]) -> Any:
  """Returns the values of a section's flags, or raises as it would."""
  known = {path.stem for path in (_ROOT / "configs").glob("*.py")}
  known &= {path.stem for path in (_ROOT / "experiments").glob("*.py")}
  if section not in known - {"__init__"}:
    raise ValueError(
      f"--section={section}: there is no such section; known are "
      f"{', '.join(sorted(known - {'__init__'}))}."
    )
  return arguments.parse(
    section, _ROOT / "configs" / f"{section}.py", [section, *flags]
  )


def _made_by(
  given: argparse.Namespace, flags: list[str], options: dict[str, str]
) -> str:
  """Returns the command that makes a file, with a flag a line."""
  plain = {"kind": given.kind, "section": given.section, "slice": given.slice}
  plain |= {"slices": given.slices, "workdir": given.workdir}
  plain |= {"name": given.name, "grace": given.grace}
  plain |= {"compile_cache": given.compile_cache, **options, "out": given.out}
  words = [f"--{name}={value}" for name, value in plain.items() if value]
  quoted = [shlex.quote(word) for word in (*words, *flags)]
  if given.sweep:
    quoted.append(" ".join(["--sweep", *map(shlex.quote, given.sweep)]))
  return " \\\n    ".join(("python -m experiments.launch", *quoted))
