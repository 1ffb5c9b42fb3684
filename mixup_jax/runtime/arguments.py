"""The command line of an experiment."""

import os
import pathlib
import sys
from typing import Any, Sequence

from absl import flags
from ml_collections import config_flags

from mixup_jax.runtime import fields

DEBUG = "--debug"  # Asked for also before flags are parsed.


def parse(
  section: str,
  config_file: str | os.PathLike[str],
  argv: Sequence[str] | None = None,
) -> flags.FlagValues:
  """Parses the command line of a section.

  Args:
    section: The name of the section.
    config_file: The default of `--config`.
    argv: The words; by default those of this process.

  Returns:
    The values of all flags, `config` among them.

  Raises:
    SystemExit: With status 0, after it has printed the flags for `--help`.
    ValueError: For words that are no flags, and fields that the config lacks.
  """
  argv = sys.argv if argv is None else argv
  values = flags.FlagValues()
  known: tuple[tuple[Any, str, Any, str], ...] = (
    (
      flags.DEFINE_string,
      "workdir",
      None,
      "Where to write and to resume, on a disk or gs://; a new directory by "
      "default.",
    ),
    (
      flags.DEFINE_string,
      "coordinator",
      None,
      "With several processes: host:port of process 0.",
    ),
    (flags.DEFINE_integer, "num_processes", None, "The number of processes."),
    (flags.DEFINE_integer, "process_id", None, "This process, from 0."),
    (
      flags.DEFINE_bool,
      "distributed",
      False,
      "Take these three from the cluster: TPU pod, GKE, Slurm, Open MPI.",
    ),
    (
      flags.DEFINE_integer,
      "expect_devices",
      None,
      "Refuse to start with any other number of devices, such as 256.",
    ),
    (
      flags.DEFINE_string,
      "rehearse",
      None,
      "Print an ahead-of-time cost estimate of a step on TPU slices, such as "
      "v5e:16x16 or 2xv5e:16x16, and train nothing.",
    ),
    (
      flags.DEFINE_integer,
      "profile",
      0,
      "Trace so many steps of the first network, into WORKDIR/profile.",
    ),
    (flags.DEFINE_bool, DEBUG[2:], False, "Show the traceback of an error."),
  )
  for define, name, default, text in known:
    define(name, default, text, flag_values=values)
  words = [_located(word, config_file) for word in argv]
  try:
    config_flags.DEFINE_config_file(
      "config",
      os.fspath(config_file),
      "The config, as FILE or FILE:key=value,...",
      flag_values=values,
      sys_argv=words,
    )
    if "--help" in argv:
      print(
        f"python -m experiments.{section} [flags]\n{values.main_module_help()}"
        f"\n{values.get_help()}"
      )
      raise SystemExit(0)
    extra = values(words)[1:]
  except AttributeError:  # Its message is the last part of a name alone.
    fields.check(words, config_file)
    raise
  if extra:
    raise ValueError(
      f"unexpected arguments {extra}: flags look like "
      "--workdir=DIR or --config.seeds=10."
    )
  return values


def _located(word: str, config_file: str | os.PathLike[str]) -> str:
  """Returns a word of the command line with the path of an installed config.

  `--config=configs/x.py` means the file of that name in the working directory;
  if there is none, the one that is installed beside the default config.
  """
  flag, equals, value = word.partition("=")
  name, colon, argument = value.partition(":")
  installed = pathlib.Path(config_file).parents[1] / name
  if (
    flag.lstrip("-") != "config"
    or pathlib.Path(name).exists()
    or not installed.is_file()
  ):
    return word
  return f"{flag}{equals}{installed}{colon}{argument}"
