"""Launches an experiment: flags, checks, device report, closing table."""

import contextlib
import datetime
import functools
import os
import pathlib
import signal
import sys
import tempfile
import time
from typing import Any, Callable, Iterator

from absl import flags
from absl import logging
import jax
from ml_collections import config_flags

from mixup_jax import results
from mixup_jax.cost_model import tpu
from mixup_jax.results import figures
from mixup_jax.results import recorder as records
from mixup_jax.results import workdirs
from mixup_jax.runtime import distributed
from mixup_jax.runtime import preflight
from mixup_jax.train import loop

# What bad input raises in this package; anything else is a bug, and is shown
# with its stack.
_INPUT_ERRORS = (
  ValueError,
  TypeError,
  LookupError,
  AttributeError,
  OSError,
  flags.Error,
)
# What can end a run that was well begun: divergence, and a full disk.
_RUN_ERRORS = (FloatingPointError, OSError)
_GO_ON = "to go on, give the same command with the same working directory"
_DEBUG = "--debug"
_DEVICE_COUNT_FLAG = "xla_force_host_platform_device_count"


def launch(
  section: str,
  *,
  prepare: Callable[[Any], Any],
  run: Callable[[Any, Any, records.Recorder], results.Result],
  config_file: str | os.PathLike[str],
  cpu_devices: int | None = None,
  lower: tpu.Lower | None = None,
) -> None:
  """Runs one section of the paper from the command line.

  Everything that can be wrong with flags, config, data and working directory is
  found before any work, and told in one line.

  Args:
    section: The name of the section.
    prepare: Checks the config and loads the data; returns what `run` needs.
    run: Takes the config, what `prepare` returned and a recorder; returns the
      result.
    config_file: The default of `--config`.
    cpu_devices: Into how many devices to divide the processor, where it is all
      there is, and XLA_FLAGS do not say.
    lower: Lowers a training step for `--rehearse`, if the section has it.

  Raises:
    SystemExit: With one line on the standard error and status 2 for bad input,
      1 if the run could not go on, 42 if other processes did not come, 130
      after Ctrl-C, and 143 after SIGTERM, when all is saved.
  """
  logging.set_verbosity(logging.ERROR)  # TFDS warns of what we tell.
  if cpu_devices and _DEVICE_COUNT_FLAG not in os.environ.get("XLA_FLAGS", ""):
    jax.config.update("jax_num_cpu_devices", cpu_devices)
  with _told(_INPUT_ERRORS, status=2):
    values = _parse_flags(section, config_file)
    stages = prepare, run
    if values.rehearse is not None:
      stages = _rehearsal(section, values.rehearse, lower)
    _join_the_others(section, values)
  try:
    with distributed.peers_watched():
      status = _launch(section, values, *stages)
  except KeyboardInterrupt:
    print(f"\ninterrupted; {_GO_ON}", file=sys.stderr)
    status = 128 + signal.SIGINT
  if status:
    raise SystemExit(status)


def _launch(
  section: str,
  values: flags.FlagValues,
  prepare: Callable[[Any], Any],
  run: Callable[..., results.Result],
) -> int:
  """Does what `launch` says, in each process; returns the exit status."""
  with _told(_INPUT_ERRORS, status=2):
    config, workdir = values.config, _workdir(section, values)
    plain_config = config.to_dict()
    workdirs.check(workdir, plain_config)
    with preflight.checked(workdir, values.expect_devices):
      prepared = prepare(config)
  _say(
    f"{section}: {jax.device_count()} x {jax.devices()[0].device_kind}, "
    f"{jax.process_count()} process(es), jax {jax.__version__}"
  )
  start = time.perf_counter()
  with records.Recorder(workdir, config=plain_config) as recorder:
    try:
      # What a step needs is put on the device by name, never by accident.
      with _told(_RUN_ERRORS, status=1, more=f"\nThe config is {plain_config}"):
        with jax.transfer_guard("disallow"):
          result = run(config, prepared, recorder)
    except loop.Stopped as stopped:
      _say(f"\n{stopped}, which is saved; {_GO_ON}, {workdir}")
      return 128 + signal.SIGTERM
    # Some know better: what earlier processes did counts as well.
    seconds = result.get("wall_seconds", round(time.perf_counter() - start, 2))
    path = recorder.result(
      {"section": section, **result, "wall_seconds": seconds}
    )
  _say(
    f"\n{results.format_result(result)}\n\n{seconds:.1f} s, written to {path}"
  )
  if jax.process_index() == 0:
    _draw(result, path.with_suffix(".png"))
  for name, reason in result.get("failed", {}).items():
    print(f"failed: {name}: {reason}", file=sys.stderr)
  return 1 if result.get("failed") else 0


def _draw(result: results.Result, path: pathlib.Path) -> None:
  """Draws the figure of a result; a run does not fail for want of one."""
  try:
    if figures.draw(result, path):
      print(f"drawn in {path}", flush=True)
  except Exception as error:  # Of many kinds: of matplotlib, and of the disk.
    print(f"not drawn: {type(error).__name__}: {error}", file=sys.stderr)


def _rehearsal(
  section: str, topology: str, lower: tpu.Lower | None
) -> tuple[Callable[..., Any], Callable[..., Any]]:
  """Returns what prepares and what runs a rehearsal instead of the section."""
  if lower is None:
    raise ValueError(
      f"{section} cannot be rehearsed: leave out --rehearse={topology}."
    )
  tpu.need_no_tpu()
  return functools.partial(
    tpu.rehearse, topology=topology, lower=lower
  ), tpu.result


@contextlib.contextmanager
def _told(
  errors: tuple[type[Exception], ...], *, status: int, more: str = ""
) -> Iterator[None]:
  """Turns errors into a line on the standard error and an exit status."""
  try:
    yield
  except errors as error:
    if _DEBUG in sys.argv:
      raise
    if isinstance(error, TimeoutError):  # Others did not come: no bad input.
      status = distributed.RESTART_STATUS
    print(f"error: {_message(error)}{more}", file=sys.stderr)
    raise SystemExit(status) from None


def _say(text: str) -> None:
  """Prints in the first of several processes."""
  if jax.process_index() == 0:
    print(text, flush=True)


def _parse_flags(
  section: str, config_file: str | os.PathLike[str]
) -> flags.FlagValues:
  """Returns the values of the command line."""
  values = flags.FlagValues()
  config_flags.DEFINE_config_file(
    "config",
    os.fspath(config_file),
    "The config, as FILE or FILE:key=value,...",
    flag_values=values,
  )
  known: tuple[tuple[Any, str, Any, str], ...] = (
    (
      flags.DEFINE_string,
      "workdir",
      None,
      "Where to write, and where to go on; a new directory by default.",
    ),
    (
      flags.DEFINE_string,
      "coordinator",
      None,
      "With several processes: host:port of the first one.",
    ),
    (flags.DEFINE_integer, "num_processes", None, "How many there are."),
    (flags.DEFINE_integer, "process_id", None, "Which one this is, from 0."),
    (
      flags.DEFINE_bool,
      "distributed",
      False,
      "Let the cluster say these three: TPU pods, GKE, Slurm, Open MPI.",
    ),
    (
      flags.DEFINE_integer,
      "expect_devices",
      None,
      "Refuse to begin with more or fewer devices than these, such as 256.",
    ),
    (
      flags.DEFINE_string,
      "rehearse",
      None,
      "Compile for a TPU slice that is not there, such as v5e:16x16, and tell "
      "what a step would cost; nothing is trained.",
    ),
    (flags.DEFINE_bool, _DEBUG[2:], False, "Show where an error was raised."),
  )
  for define, name, default, text in known:
    define(name, default, text, flag_values=values)
  if "--help" in sys.argv:
    print(
      f"python -m experiments.{section} [flags]\n{values.main_module_help()}"
      f"\n{values.get_help()}"
    )
    raise SystemExit(0)
  extra = values([_located(word, config_file) for word in sys.argv])[1:]
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


def _join_the_others(section: str, values: flags.FlagValues) -> None:
  """Starts this process as one of several, if it is."""
  names = ("coordinator", "num_processes", "process_id")
  given = {name: values[name].value for name in names}
  if values.distributed and set(given.values()) != {None}:
    raise ValueError(
      "--distributed lets the cluster say what --coordinator, "
      "--num_processes and --process_id say: give either."
    )
  if values.distributed or set(given.values()) != {None}:
    if values.workdir is None:
      raise ValueError(
        "several processes need one place to write: give all "
        "the same --workdir, on a disk that all of them see."
      )
    distributed.initialize(
      coordinator=values.coordinator,
      num_processes=values.num_processes,
      process_id=values.process_id,
      same=preflight.identity(section, values.config.to_dict()),
    )


def _workdir(section: str, values: flags.FlagValues) -> pathlib.Path:
  """Returns the working directory, by default a new one."""
  stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
  default = pathlib.Path(tempfile.gettempdir(), "mixup_jax", section, stamp)
  return pathlib.Path(values.workdir or default).expanduser().absolute()


def _message(error: BaseException) -> str:
  """Returns what an error says, without the wrappings it came in."""
  while error.args and isinstance(error.args[0], BaseException):
    error = error.args[0]
  # A KeyError would show its message quoted.
  message = str(error.args[0] if isinstance(error, KeyError) else error)
  if "Traceback" in message:  # A config file raised; its last line says what.
    message = message.strip().splitlines()[-1].split("Error: ", 1)[-1]
  return message
