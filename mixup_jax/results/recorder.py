"""The files of a run in its working directory.

config.json     the configuration, reloadable
metrics.jsonl   one line a report: {"step", name: value, ...}
events.out.*    the same for TensorBoard
result.json     the result of the run, which reports are made from
"""

import datetime
import json
import math
import os
import pathlib
import platform
import subprocess
from typing import Any, Mapping

import jax
import numpy as np
import tensorboardX

from mixup_jax.results import workdirs

_LINES = "metrics.jsonl"


class Recorder:
  """Writes the files of one run, as a context manager.

  Of several processes only the first one writes; all keep the lines. The files
  are strict JSON: a number that is not finite is null there.

  Attributes:
    workdir: The directory of the run.
    lines: The lines of `metrics.jsonl`, since the first start of the run.
  """

  def __init__(
    self,
    workdir: str | os.PathLike[str],
    *,
    config: Mapping[str, Any],
    first_step: int = 0,
  ):
    """Opens the files.

    Args:
      workdir: The directory, made if it is not there.
      config: Plain values, written to `config.json`.
      first_step: The step that a run resumes from: later lines, of steps that
        it repeats, are dropped.

    Raises:
      OSError: If the directory cannot be written to, or its disk is full.
      ValueError: If it holds a run with another config.
    """
    self.workdir = workdirs.check(workdir, config)
    self._config = dict(config)
    self.lines = [
      line
      for line in _read_lines(self.workdir / _LINES)
      if line["step"] <= first_step
    ]
    self._files: tuple[Any, ...] = ()
    if jax.process_index() == 0:
      replace(self.workdir / "config.json", json.dumps(self._config, indent=2))
      replace(self.workdir / _LINES, "\n".join(map(_dump, self.lines)))
      self._files = (
        open(self.workdir / _LINES, "a", encoding="utf-8"),
        tensorboardX.SummaryWriter(
          str(self.workdir),
          purge_step=first_step + 1,
          filename_suffix=f".{first_step}",
        ),
      )

  def __enter__(self) -> "Recorder":
    return self

  def __exit__(self, *_: object) -> None:
    for file in self._files:
      file.close()

  def metrics(self, step: int, values: Mapping[str, Any]) -> None:
    """Appends the metrics of a step: numbers, or arrays of one number."""
    scalars = {name: float(np.asarray(value)) for name, value in values.items()}
    self.lines.append({"step": step, **scalars})
    if self._files:
      lines, events = self._files
      lines.write(_dump(self.lines[-1]) + "\n")
      lines.flush()
      for name, value in scalars.items():
        events.add_scalar(name, value, step)

  def result(self, content: Mapping[str, Any]) -> pathlib.Path:
    """Writes `result.json`, with config and environment; returns its path."""
    path = self.workdir / "result.json"
    if self._files:
      content = {
        **content,
        "config": self._config,
        "environment": environment(),
      }
      replace(path, _dump(content, indent=2))
    return path


def replace(path: pathlib.Path, text: str) -> None:
  """Writes a text file in one step: readers never see half of it."""
  partial = path.with_suffix(".partial")
  partial.write_text(text and text + "\n", encoding="utf-8")
  os.replace(partial, path)


def _dump(content: Any, *, indent: int | None = None) -> str:
  """Returns strict JSON, which has no word for NaN and infinities."""

  def finite(value: Any) -> Any:
    if isinstance(value, Mapping):
      return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
      return [finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
      return None
    return value

  return json.dumps(finite(content), indent=indent, allow_nan=False)


def _read_lines(path: pathlib.Path) -> list[dict[str, float]]:
  """Reads the metrics of a run, null as NaN, up to a line that was cut off."""
  lines = []
  if path.exists():
    for text in path.read_text(encoding="utf-8").splitlines():
      try:
        line = json.loads(text)
      except ValueError:
        break  # The run was killed while it wrote.
      lines.append(
        {name: math.nan if x is None else x for name, x in line.items()}
      )
  return lines


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
