"""Launches an experiment: checks, device report, table of results."""

import contextlib
import datetime
import functools
import os
import pathlib
import signal
import sys
import tempfile
import time
from typing import Any, Callable

from absl import flags
from absl import logging
import jax

from mixup_jax import results
from mixup_jax.cost_model import estimate
from mixup_jax.cost_model import rows
from mixup_jax.cost_model import topology
from mixup_jax.recipes import ranges
from mixup_jax.results import figures
from mixup_jax.results import lock
from mixup_jax.results import workdirs
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import arguments
from mixup_jax.runtime import compile_cache
from mixup_jax.runtime import device_errors
from mixup_jax.runtime import distributed
from mixup_jax.runtime import one_line
from mixup_jax.runtime import preemption
from mixup_jax.runtime import preflight
from mixup_jax.runtime import signals
from mixup_jax.runtime import storage
from mixup_jax.train import goodput
from mixup_jax.train import tracing

_INTERRUPTED = 128 + signal.SIGINT
_DEVICE_COUNT_FLAG = "xla_force_host_platform_device_count"


def launch(
  section: str,
  *,
  prepare: Callable[[Any], Any],
  run: Callable[[Any, Any, Recorder], results.Result],
  config_file: str | os.PathLike[str],
  cpu_devices: int | None = None,
  lower: estimate.Lower | None = None,
  of_networks: bool = False,
) -> None:
  """Runs one section of the paper from the command line.

  It validates flags, config, data and working directory before any work, and
  reports an error in one line.

  Args:
    section: The name of the section.
    prepare: Validates the config and loads the data; returns the inputs of
      `run`.
    run: Takes the config, the inputs that `prepare` returned and a recorder;
      returns the result.
    config_file: The default of `--config`.
    cpu_devices: The number of devices on a CPU, unless XLA_FLAGS sets it.
    lower: Lowers a training step for `--rehearse`, the ahead-of-time cost
      estimate; None if the section has none.
    of_networks: As in `workdirs.check`: the same working directory takes more
      seeds, methods, cells or rows, and trains what it lacks.

  Raises:
    SystemExit: With one line on stderr and status 2 for bad input, 1 if the run
      cannot continue, 42 if other processes did not connect, a bucket was not
      available or work was lost after SIGTERM, 130 after Ctrl-C, and 143 after
      SIGTERM, once all is saved.
  """
  logging.set_verbosity(
    logging.ERROR
  )  # TFDS warns of errors that this reports.
  if cpu_devices and _DEVICE_COUNT_FLAG not in os.environ.get("XLA_FLAGS", ""):
    jax.config.update("jax_num_cpu_devices", cpu_devices)
  with one_line.bad_input():
    values = arguments.parse(section, config_file)
    workdir = _workdir(section, values)
    for field in ("data_dir", "networks"):  # Before any work, and by its name.
      storage.path(values.config.get(field) or "", f"--config.{field}")
    if values.profile < 0:
      raise ValueError(
        f"--profile={values.profile} is negative: 0 traces none."
      )
    if values.rehearse is None:
      stages = prepare, run
      # Processes of one run must not differ in what they find compiled.
      if not (values.distributed or values.coordinator):
        compile_cache.enable()
    else:
      stages = _estimate(section, values.rehearse, lower)
  resume = f"to resume, run the same command with --workdir={workdir}"
  interrupted = f"interrupted; {resume}"
  try:
    with contextlib.ExitStack() as stack:
      stack.enter_context(
        signals.leaving(
          signal.SIGTERM,
          status=distributed.RESTART_STATUS,
          text=f"stopped by SIGTERM outside the run, nothing saved; {resume}",
        )
      )
      if not values.debug:  # Else with a traceback.
        stack.enter_context(
          signals.leaving(signal.SIGINT, status=_INTERRUPTED, text=interrupted)
        )
      with one_line.bad_input():
        _join_the_others(section, values)
      with (
        distributed.peers_watched(),
        one_line.reported(
          (storage.Unavailable,), status=distributed.RESTART_STATUS
        ),
        device_errors.reported(resume, debug=values.debug),
      ):
        prepared = _prepare(values, workdir, of_networks, stack, stages[0])
        recorder = Recorder(
          workdir, config=values.config.to_dict(), of_networks=of_networks
        )
        with (
          preemption.noticed(),
          tracing.requested(values.profile, workdir / "profile"),
        ):
          status = _run(section, values, recorder, prepared, stages[1], resume)
  except KeyboardInterrupt:
    if values.debug:
      raise
    print(f"\n{interrupted}", file=sys.stderr)
    status = _INTERRUPTED
  if status:
    raise SystemExit(status)


def _prepare(
  values: flags.FlagValues,
  workdir: storage.Path,
  of_networks: bool,
  stack: contextlib.ExitStack,
  prepare: Callable[[Any], Any],
) -> Any:
  """Returns what `prepare` does; owns the directory until `stack` is left."""
  with one_line.bad_input():
    if jax.config.jax_disable_jit:  # type: ignore[attr-defined]
      raise ValueError(
        "JAX_DISABLE_JIT is set, but sections run compiled programs: unset it."
      )
    ranges.check(values.config)  # What it lets through, sections check.
    workdirs.check(workdir, values.config.to_dict(), of_networks=of_networks)
    stack.enter_context(lock.held(workdir))
    with preflight.checked(workdir, values.expect_devices):
      return prepare(values.config)


def _run(
  section: str,
  values: flags.FlagValues,
  opened: Recorder,
  prepared: Any,
  run: Callable[..., results.Result],
  resume: str,
) -> int:
  """Runs the section in this process; returns the exit status."""
  config, plain_config = values.config, values.config.to_dict()
  _print(
    f"{section}: {jax.device_count()} x {jax.devices()[0].device_kind}, "
    f"{jax.process_count()} process(es), jax {jax.__version__}"
  )
  start = time.perf_counter()
  goodput.reset()
  with opened as recorder:
    try:
      more = f"\nThe config is {plain_config}"
      with one_line.failed_run(more=more):
        with jax.transfer_guard(_transfers()):
          result = run(config, prepared, recorder)
    except preemption.Stopped as stopped:
      return _report_stop(stopped, resume)
    # A result may count the time of earlier processes too.
    seconds = result.get("wall_seconds", round(time.perf_counter() - start, 2))
    shares = goodput.shares(time.perf_counter() - start)
    content = {"section": section, **result, "wall_seconds": seconds}
    path = recorder.result(content | ({"goodput": shares} if shares else {}))
  _print(
    f"\n{results.format_result(result)}\n\n{seconds:.1f} s, written to {path}"
  )
  if jax.process_index() == 0:
    _draw(result, path.with_suffix(".png"))
  for name, reason in result.get("failed", {}).items():
    print(f"failed: {name}: {reason}", file=sys.stderr)
  return 1 if result.get("failed") else 0


def _transfers() -> str:
  """Returns a transfer guard: all transfers of this package are explicit.

  With `jax_debug_nans` or `jax_debug_infs`, jax repeats what gave a NaN by
  single operations, to name the one, and transfers their constants.
  """
  repeats = jax.config.jax_debug_nans or jax.config.jax_debug_infs  # type: ignore[attr-defined]
  return "allow" if repeats else "disallow"


def _report_stop(stopped: preemption.Stopped, resume: str) -> int:
  """Prints how to resume; returns 143 if all is saved, or else 42."""
  if stopped.lost:
    print(
      f"\n{stopped}; {stopped.lost} is lost, all before it is saved; {resume}",
      file=sys.stderr,
    )
    return distributed.RESTART_STATUS
  _print(f"\n{stopped}, and saved; {resume}")
  return 128 + signal.SIGTERM


def _draw(result: results.Result, path: storage.Path) -> None:
  """Draws the figure of a result; an error does not fail the run."""
  try:
    with storage.staged(path.parent) as directory:
      is_drawn = figures.draw(result, directory / path.name)
    if is_drawn:
      print(f"figure written to {path}", flush=True)
  except Exception as error:  # Of many types, from matplotlib and the disk.
    print(f"no figure: {type(error).__name__}: {error}", file=sys.stderr)


def _estimate(
  section: str, slices: str, lower: estimate.Lower | None
) -> tuple[Callable[..., Any], Callable[..., Any]]:
  """Returns `prepare` and `run` of a cost estimate instead of the section."""
  if lower is None:
    raise ValueError(
      f"{section} has no cost estimate: leave out --rehearse={slices}."
    )
  topology.hide_tpu()
  prepare = functools.partial(estimate.estimate, topology=slices, lower=lower)
  return prepare, rows.result


def _print(text: str) -> None:
  """Prints in process 0 alone."""
  if jax.process_index() == 0:
    print(text, flush=True)


def _join_the_others(section: str, values: flags.FlagValues) -> None:
  """Connects to the other processes, if there are any."""
  names = ("coordinator", "num_processes", "process_id")
  given = {name: values[name].value for name in names}
  if values.distributed and set(given.values()) != {None}:
    raise ValueError(
      "--distributed takes --coordinator, --num_processes and --process_id "
      "from the cluster: give either."
    )
  if values.distributed or set(given.values()) != {None}:
    if values.workdir is None:
      raise ValueError(
        "several processes share one working directory: give all "
        "the same --workdir, on a disk that all of them see, or gs://."
      )
    distributed.initialize(
      coordinator=values.coordinator,
      num_processes=values.num_processes,
      process_id=values.process_id,
      same=preflight.identity(section, values.config.to_dict()),
    )


def _workdir(section: str, values: flags.FlagValues) -> storage.Path:
  """Returns the working directory, by default a new one."""
  stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
  default = pathlib.Path(tempfile.gettempdir(), "mixup_jax", section, stamp)
  path = storage.path(values.workdir or default, "--workdir")
  return path if storage.in_bucket(path) else path.absolute()
