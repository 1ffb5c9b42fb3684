"""What a run leaves in its working directory.

    config.json     the configuration, reloadable
    metrics.jsonl   one line a report: {"step", name: value, ...}
    events.out.*    the same for TensorBoard
    result.json     the table of the run, in the form that reports are made from
"""

import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
from typing import Any, Mapping, NotRequired, Sequence, TypedDict

import jax
import numpy as np
import tensorboardX

_NEEDED_BYTES = 16 * 2**20
# The metric of a method's error minus that of ERM, seed by seed: sections write
# it, and reports draw it.
DIFFERENCE = "minus ERM, paired (%)"


class Row(TypedDict):
  """One number of a result, never without how many runs it is the mean of."""
  setting: str
  method: str
  metric: str
  paper: float | None
  unverified: NotRequired[bool]
  value: float
  std: float
  n: int
  epochs: int


class Recorder:
  """Writes the files of one run. Use it as a context manager."""

  def __init__(self, workdir: str | os.PathLike[str], *, config: Mapping[str,
                                                                         Any]):
    """Opens the files.

    Args:
      workdir: The directory, made if it is not there.
      config: Plain values, written to `config.json`.

    Raises:
      OSError: If the directory cannot be written to, or its disk is full.
    """
    self._workdir = check_workdir(workdir)
    self._config = dict(config)
    _replace(self._workdir / "config.json", self._config)
    self._lines = open(self._workdir / "metrics.jsonl", "a", encoding="utf-8")
    self._events = tensorboardX.SummaryWriter(str(self._workdir))

  def __enter__(self) -> "Recorder":
    return self

  def __exit__(self, *_: object) -> None:
    self._lines.close()
    self._events.close()

  def metrics(self, step: int, values: Mapping[str, Any]) -> None:
    """Appends the metrics of a step: numbers, or arrays of one number."""
    scalars = {name: float(np.asarray(value)) for name, value in values.items()}
    self._lines.write(json.dumps({"step": step, **scalars}) + "\n")
    self._lines.flush()
    for name, value in scalars.items():
      self._events.add_scalar(name, value, step)

  def result(self, *, section: str, rows: Sequence[Row],
             wall_seconds: float) -> pathlib.Path:
    """Writes `result.json` and returns its path."""
    path = self._workdir / "result.json"
    _replace(
        path, {
            "section": section,
            "rows": list(rows),
            "config": self._config,
            "environment": environment(),
            "wall_seconds": round(wall_seconds, 2),
        })
    return path


def check_workdir(workdir: str | os.PathLike[str]) -> pathlib.Path:
  """Makes a working directory, and proves that it can be written to.

  Args:
    workdir: The directory.

  Returns:
    Its path.

  Raises:
    OSError: If it cannot be made or written to, or its disk is full.
  """
  path = pathlib.Path(workdir).expanduser()
  probe = path / ".probe"
  try:
    path.mkdir(parents=True, exist_ok=True)
    probe.write_bytes(b"\0")
    probe.unlink()
    free = shutil.disk_usage(path).free
  except OSError as error:
    raise OSError(
        f"cannot write to the working directory {path} "
        f"({error.strerror}): choose another with --workdir.") from error
  if free < _NEEDED_BYTES:
    raise OSError(f"the disk of the working directory {path} has only "
                  f"{free / 2**20:.1f} MiB left: free some, or choose another "
                  "directory with --workdir.")
  return path


def cells(rows: Sequence[Row]) -> list[list[str]]:
  """Returns a table of result rows with its header, ours beside the paper's.

  Args:
    rows: The rows of a result.

  Returns:
    A list of lines, each a list of cells: values are means with their standard
    errors.
  """
  header = ["setting", "method", "metric", "paper", "ours", "n", "epochs"]
  lines = [[
      row["setting"], row["method"], row["metric"],
      paper_number(row),
      mean_and_error(row),
      str(row["n"]),
      str(row["epochs"])
  ] for row in rows]
  return [header, *lines]


def paper_number(row: Row) -> str:
  """Returns the paper's number as text, marked if it is not verified."""
  if row["paper"] is None:
    return "-"
  return f"{row['paper']:.1f}" + (" unverified"
                                  if row.get("unverified") else "")


def mean_and_error(row: Row) -> str:
  """Returns a mean and its standard error as text."""
  if row["n"] < 2:
    return f"{row['value']:.2f}"
  return f"{row['value']:.2f} ± {row['std'] / row['n']**0.5:.2f}"


def environment() -> dict[str, Any]:
  """Returns what a number needs beside it to be believed: where and on what."""
  device = jax.devices()[0]
  return {
      "device":
          f"{jax.device_count()} x {device.device_kind}",
      "platform":
          device.platform,
      "processor":
          _processor(),
      "cores":
          len(os.sched_getaffinity(0))
          if hasattr(os, "sched_getaffinity") else os.cpu_count(),
      "python":
          platform.python_version(),
      "jax":
          jax.__version__,
      "numpy":
          np.__version__,
      "commit":
          _commit(),
      "date":
          datetime.date.today().isoformat(),
  }


def _processor() -> str:
  """Returns the name of the host's processor."""
  try:
    lines = pathlib.Path("/proc/cpuinfo").read_text(
        encoding="utf-8").splitlines()
  except OSError:
    return platform.processor() or platform.machine()
  names = [line.split(":")[1] for line in lines if "model name" in line]
  return names[0].strip() if names else platform.machine()


def _commit() -> str | None:
  """Returns the commit of the code, with a "+" if it has been changed since."""
  git = ["git", "-C", str(pathlib.Path(__file__).parent)]
  run = lambda *words: subprocess.run(
      [*git, *words], capture_output=True, text=True, check=True).stdout.strip(
      )
  try:
    commit = run("rev-parse", "--short=12", "HEAD")
    changed = run("status", "--porcelain", "--untracked-files=no")
  except (OSError, subprocess.CalledProcessError):
    return None  # Installed from a wheel, or a machine without git.
  return commit + ("+" if changed else "")


def _replace(path: pathlib.Path, value: Any) -> None:
  """Writes JSON so that the file is at no moment half written."""
  partial = path.with_suffix(".partial")
  partial.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
  os.replace(partial, path)
