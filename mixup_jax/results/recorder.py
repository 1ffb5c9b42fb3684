"""The files of a run in its working directory.

config.json     the configuration, reloadable
metrics.jsonl   one line a report: {"step", name: value, ..., "crc32"}
events.out.*    the same for TensorBoard
result.json     the result of the run, which reports are made from
"""

import datetime
import os
import pathlib
import platform
import subprocess
from typing import Any, Mapping, Sequence

import jax
import numpy as np

from mixup_jax.results import files
from mixup_jax.results import growing
from mixup_jax.results import metric_lines
from mixup_jax.results import workdirs
from mixup_jax.runtime import storage


class Recorder:
  """Writes the files of one run, as a context manager.

  Of several processes only the first one writes; all keep the lines. The files
  are strict JSON: a number that is not finite is null there.

  Attributes:
    workdir: The directory of the run.
    lines: The lines of `metrics.jsonl`, since the first start of the run.
    crc32: The checksum of all of them, which a checkpoint keeps.
  """

  def __init__(
    self,
    workdir: str | os.PathLike[str],
    *,
    config: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]] = (),
    of_networks: bool = False,
  ):
    """Opens the files.

    Args:
      workdir: The directory, made if it is not there.
      config: Plain values, written to `config.json`.
      lines: Those of the steps before, as `metric_lines.read` returns them, if
        the run is resumed. All others in the file are dropped.
      of_networks: As in `workdirs.check`.

    Raises:
      OSError: If the directory cannot be written to, or its disk is full.
      ValueError: If it holds a run with another config.
    """
    self.workdir = workdirs.check(workdir, config, of_networks=of_networks)
    self._config = dict(config)
    self.lines: metric_lines.Lines = []
    self.crc32 = 0
    text = "".join(map(self._append, lines))
    step = int(self.lines[-1]["step"]) if self.lines else 0
    self._growing: growing.Growing | None = None
    if jax.process_index() == 0:
      files.replace(
        self.workdir / "config.json", files.to_json(self._config, indent=2)
      )
      self._growing = growing.start(self.workdir, text, step=step)

  def __enter__(self) -> "Recorder":
    return self

  def __exit__(self, *_: object) -> None:
    if self._growing:
      self._growing.close()

  def metrics(self, step: int, values: Mapping[str, Any]) -> None:
    """Appends the metrics of a step: numbers, or arrays of one number."""
    scalars = {name: float(np.asarray(value)) for name, value in values.items()}
    text = self._append({"step": step, **scalars})
    if self._growing:
      self._growing.write(text, step, scalars)

  def sync(self) -> None:
    """Waits until all lines are stored: before a checkpoint of them."""
    if self._growing:
      self._growing.sync()

  def result(self, content: Mapping[str, Any]) -> storage.Path:
    """Writes `result.json`, with config and environment; returns its path."""
    path = self.workdir / "result.json"
    if self._growing:
      content = {
        **content,
        "config": self._config,
        "environment": environment(),
      }
      files.replace(path, files.to_json(content, indent=2))
    return path

  def _append(self, line: Mapping[str, Any]) -> str:
    """Keeps a line; returns it as text."""
    text, self.crc32 = metric_lines.seal(line, self.crc32)
    self.lines.append(dict(line))
    return text


def environment() -> dict[str, Any]:
  """Returns where and with what a result was made: device, versions, commit."""
  device = jax.devices()[0]
  return {
    "device": f"{jax.device_count()} x {device.device_kind}",
    "platform": device.platform,
    "processor": _processor(),
    "cores": len(os.sched_getaffinity(0))
    if hasattr(os, "sched_getaffinity")
    else os.cpu_count(),
    "python": platform.python_version(),
    "jax": jax.__version__,
    "numpy": np.__version__,
    "commit": _commit(),
    "date": datetime.date.today().isoformat(),
  }


def _processor() -> str:
  """Returns the name of the host's processor."""
  try:
    lines = (
      pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    )
  except OSError:
    return platform.processor() or platform.machine()
  names = [line.split(":")[1] for line in lines if "model name" in line]
  return names[0].strip() if names else platform.machine()


def _commit() -> str | None:
  """Returns the commit of the code, with a "+" if it has been changed since."""
  git = ["git", "-C", str(pathlib.Path(__file__).parent)]

  def run(*words: str) -> str:
    return subprocess.run(
      [*git, *words], capture_output=True, text=True, check=True
    ).stdout.strip()

  try:
    commit = run("rev-parse", "--short=12", "HEAD")
    changed = run("status", "--porcelain", "--untracked-files=no")
  except (OSError, subprocess.CalledProcessError):
    return None  # Installed from a wheel, or a machine without git.
  return commit + ("+" if changed else "")
