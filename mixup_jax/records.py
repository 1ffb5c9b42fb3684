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
from typing import Any, Mapping, Sequence

import jax
import numpy as np
import tensorboardX

_LINES = "metrics.jsonl"
_NEEDED_BYTES = 16 * 2**20


class Recorder:
  """Writes the files of one run. Use it as a context manager.

  Of several processes only the first one writes; all keep the lines.

  Attributes:
    workdir: The directory of the run.
    lines: The lines of `metrics.jsonl`, those before a resumption too.
  """

  def __init__(self,
               workdir: str | os.PathLike[str],
               *,
               config: Mapping[str, Any],
               first_step: int = 0):
    """Opens the files.

    Args:
      workdir: The directory, made if it is not there.
      config: Plain values, written to `config.json`.
      first_step: The step from which a run goes on: later lines, of steps that
        will be done again, are dropped.

    Raises:
      OSError: If the directory cannot be written to, or its disk is full.
      ValueError: If it holds a run with another config.
    """
    self.workdir = check_workdir(workdir, config)
    self._config = dict(config)
    self.lines = [
        line for line in _read_lines(self.workdir / _LINES)
        if line["step"] <= first_step
    ]
    self._files: tuple[Any, ...] = ()
    if jax.process_index() == 0:
      _replace(self.workdir / "config.json", json.dumps(self._config, indent=2))
      _replace(self.workdir / _LINES, "\n".join(map(json.dumps, self.lines)))
      self._files = (open(self.workdir / _LINES, "a", encoding="utf-8"),
                     tensorboardX.SummaryWriter(
                         str(self.workdir),
                         purge_step=first_step + 1,
                         filename_suffix=f".{first_step}"))

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
      lines.write(json.dumps(self.lines[-1]) + "\n")
      lines.flush()
      for name, value in scalars.items():
        events.add_scalar(name, value, step)

  def result(self, *, section: str, rows: Sequence[Mapping[str, Any]],
             wall_seconds: float, **more: Any) -> pathlib.Path:
    """Writes `result.json` and returns its path; `more` goes in as it is."""
    path = self.workdir / "result.json"
    if self._files:
      content = {
          "section": section,
          "rows": list(rows),
          **more,
          "config": self._config,
          "environment": environment(),
          "wall_seconds": round(wall_seconds, 2),
      }
      _replace(path, json.dumps(content, indent=2))
    return path


def check_workdir(workdir: str | os.PathLike[str],
                  config: Mapping[str, Any] | None = None) -> pathlib.Path:
  """Makes a working directory, and proves that a run can have it.

  Args:
    workdir: The directory.
    config: The config of the run.

  Returns:
    Its path.

  Raises:
    OSError: If it cannot be made or written to, or its disk is full.
    ValueError: If it holds a run with another config.
  """
  path = pathlib.Path(workdir).expanduser()
  probe = path / f".probe{jax.process_index()}"
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
  if config is not None and (path / "config.json").exists():
    _check_config(path, config)
  return path


def _check_config(path: pathlib.Path, config: Mapping[str, Any]) -> None:
  """Raises if a directory belongs to a run with another config."""
  before = _flat(json.loads((path / "config.json").read_text("utf-8")))
  now = _flat(json.loads(json.dumps(config)))
  changed = [
      f"  {name}: {before.get(name, 'nothing')} there, "
      f"{now.get(name, 'nothing')} here"
      for name in dict.fromkeys([*before, *now])
      if before.get(name) != now.get(name)
  ]
  if changed:
    raise ValueError(
        f"the working directory {path} holds a run with another config:\n" +
        "\n".join(changed) +
        "\nChoose another directory with --workdir, or the same config to "
        "continue.")


def _flat(tree: Any, name: str = "config") -> dict[str, Any]:
  """Returns the leaves of nested dicts by their dotted names."""
  if not isinstance(tree, dict):
    return {name: tree}
  leaves: dict[str, Any] = {}
  for key, value in tree.items():
    leaves |= _flat(value, f"{name}.{key}")
  return leaves


def _read_lines(path: pathlib.Path) -> list[dict[str, float]]:
  """Reads what a run has reported, up to a line that was cut off."""
  lines = []
  if path.exists():
    for text in path.read_text(encoding="utf-8").splitlines():
      try:
        lines.append(json.loads(text))
      except ValueError:
        break  # The run was killed while it wrote.
  return lines


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


def _replace(path: pathlib.Path, text: str) -> None:
  """Writes a text file so that it is at no moment half written."""
  partial = path.with_suffix(".partial")
  partial.write_text(text and text + "\n", encoding="utf-8")
  os.replace(partial, path)
