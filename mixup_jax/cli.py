"""Launches an experiment: flags, checks, device report, closing table."""

import datetime
import os
import pathlib
import sys
import tempfile
import time
from typing import Any, Callable, Sequence

from absl import flags
from absl import logging
import jax
from ml_collections import config_flags

from mixup_jax import records

# What bad input raises in this package; anything else is a bug, and is shown
# with its stack.
_INPUT_ERRORS = (ValueError, TypeError, LookupError, AttributeError, OSError,
                 flags.Error)
_DEBUG = "--debug"
_DEVICE_COUNT_FLAG = "xla_force_host_platform_device_count"


def launch(
    section: str,
    *,
    prepare: Callable[[Any], Any],
    run: Callable[[Any, Any, records.Recorder], Sequence[records.Row]],
    config_file: str | os.PathLike[str],
    cpu_devices: int | None = None,
) -> None:
  """Runs one section of the paper from the command line.

  Everything that can be wrong with flags, config, data and working directory is
  found before any work, and told in one line.

  Args:
    section: The name of the section.
    prepare: Checks the config and loads the data; returns what `run` needs.
    run: Takes the config, what `prepare` returned and a recorder; returns the
      rows of the result.
    config_file: The default of `--config`.
    cpu_devices: Into how many devices to divide the processor, where it is all
      there is, and XLA_FLAGS do not say.

  Raises:
    SystemExit: With status 2 and one line on the standard error for bad input.
  """
  logging.set_verbosity(logging.ERROR)  # TFDS warns of what we tell.
  if cpu_devices and _DEVICE_COUNT_FLAG not in os.environ.get("XLA_FLAGS", ""):
    jax.config.update("jax_num_cpu_devices", cpu_devices)
  try:
    config, workdir = _parse_flags(section, config_file)
    plain_config = config.to_dict()
    records.check_workdir(workdir)
    prepared = prepare(config)
  except _INPUT_ERRORS as error:
    if _DEBUG in sys.argv:
      raise
    print(f"error: {_message(error)}", file=sys.stderr)
    raise SystemExit(2) from None
  print(f"{section}: {jax.device_count()} x {jax.devices()[0].device_kind}, "
        f"{jax.process_count()} process(es), jax {jax.__version__}")
  start = time.perf_counter()
  with records.Recorder(workdir, config=plain_config) as recorder:
    try:
      # What a step needs is put on the device by name, never by accident.
      with jax.transfer_guard("disallow"):
        rows = run(config, prepared, recorder)
    except FloatingPointError as error:
      error.add_note(f"The config was {plain_config}")
      raise
    wall_seconds = time.perf_counter() - start
    path = recorder.result(section=section,
                           rows=rows,
                           wall_seconds=wall_seconds)
  print(f"\n{format_table(records.cells(rows))}\n\n"
        f"{wall_seconds:.1f} s, written to {path}")


def format_table(cells: Sequence[Sequence[str]]) -> str:
  """Aligns cells in columns, words left and numbers right, under a rule."""
  widths = [max(map(len, column)) for column in zip(*cells)]
  is_number = [column[-1][:1] in "+-0123456789" for column in zip(*cells)]
  lines = []
  for row in cells:
    aligned = (c.rjust(w) if number else c.ljust(w)
               for c, w, number in zip(row, widths, is_number))
    lines.append("  ".join(aligned).rstrip())
  lines.insert(1, "  ".join("-" * width for width in widths))
  return "\n".join(lines)


def _parse_flags(
    section: str,
    config_file: str | os.PathLike[str]) -> tuple[Any, pathlib.Path]:
  """Returns the config and the working directory of the command line."""
  values = flags.FlagValues()
  config = config_flags.DEFINE_config_file(
      "config",
      os.fspath(config_file),
      "The config, as FILE or FILE:key=value,...",
      flag_values=values)
  workdir = flags.DEFINE_string("workdir",
                                None,
                                "Where to write; a new directory by default.",
                                flag_values=values)
  flags.DEFINE_bool(_DEBUG[2:],
                    False,
                    "Show where bad input was noticed.",
                    flag_values=values)
  if "--help" in sys.argv:
    print(
        f"python -m experiments.{section} [flags]\n{values.main_module_help()}"
        f"\n{values.get_help()}")
    raise SystemExit(0)
  extra = values(sys.argv)[1:]
  if extra:
    raise ValueError(f"unexpected arguments {extra}: flags look like "
                     "--workdir=DIR or --config.seeds=10.")
  stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
  default = pathlib.Path(tempfile.gettempdir(), "mixup_jax", section, stamp)
  return config.value, pathlib.Path(workdir.value or default)


def _message(error: BaseException) -> str:
  """Returns what an error says, without the wrappings it came in."""
  while error.args and isinstance(error.args[0], BaseException):
    error = error.args[0]
  # A KeyError would show its message quoted.
  message = str(error.args[0] if isinstance(error, KeyError) else error)
  if "Traceback" in message:  # A config file raised; its last line says what.
    message = message.strip().splitlines()[-1].split("Error: ", 1)[-1]
  return message
