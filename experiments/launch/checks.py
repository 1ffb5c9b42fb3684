"""What is refused of a command line, each with the value and the remedy."""

import argparse
import pathlib
import re
from typing import Any, Sequence

from experiments.launch import kinds
from experiments.launch import slices

_SHARED_DISK = ("slurm", "tpu_vm")
# A pod of Kubernetes is named after the set, the job, and two numbers.
_LONGEST_NAME = 40
# What stands in a file as it is, and an example.
_FORMS = {
  "time": (r"(\d+-)?\d+(:\d\d){0,2}", "24:00:00 or 7-00:00:00"),
  "exclude_newer": (r"20\d\d-[01]\d-[0-3]\d", "2026-11-26"),
}
_WITHOUT_FILES = ("digits", "tones", "iris")  # Data sets.


def options(given: argparse.Namespace) -> dict[str, str]:
  """Returns the options that this kind of file alone has."""
  own = kinds.KINDS[given.kind].options
  known = {
    name: kind for kind in kinds.KINDS for name in kinds.KINDS[kind].options
  }
  for name, kind in known.items():
    if getattr(given, name) is not None and name not in own:
      raise ValueError(
        f"--{name}={getattr(given, name)}: {given.kind} has no such option, "
        f"but {kind}: leave it out."
      )
  found = {}
  for name, default in own.items():
    value = getattr(given, name) or default
    if value is None:
      raise ValueError(f"--{name} is missing: {given.kind} needs it.")
    if not re.fullmatch(_FORMS.get(name, (".*",))[0], value):
      raise ValueError(f"--{name}={value}: write it as {_FORMS[name][1]}.")
    found[name] = value
  return found


def devices(given: argparse.Namespace, options: dict[str, str]) -> slices.Slice:
  """Returns the slice, if its kind of file can start one."""
  found = slices.parse(given.slice)
  if (given.kind == "slurm") != (found.kind == slices.GPU):
    others = "gpu:HOSTSxGPUS" if given.kind == "slurm" else "TPUs, as v5e:16x16"
    raise ValueError(
      f"--slice={given.slice}: {given.kind} starts runs on {others}."
    )
  if given.slices < 1 or given.slices > 1 and given.kind != "jobset":
    raise ValueError(
      f"--slices={given.slices}: {given.kind} starts one slice; several are "
      "for --kind=jobset."
    )
  if given.grace < 1:
    raise ValueError(f"--grace={given.grace}: give at least 1 second.")
  per_host = options.get("processes_per_host", "1")
  gpus = found.devices_per_host
  shares = [str(n) for n in range(1, gpus + 1) if gpus % n == 0]
  if per_host not in shares:
    raise ValueError(
      f"--processes_per_host={per_host}: {gpus} GPUs are shared "
      f"out evenly by {', '.join(shares)}."
    )
  return found


def config_file(flags: Sequence[str]) -> None:
  """Raises ValueError for a config that is not in the repository."""
  for flag in flags:
    name, _, value = flag.partition("=")
    path = value.partition(":")[0]
    if name == "--config" and pathlib.PurePath(path).parts[:1] != ("configs",):
      raise ValueError(
        f"{flag}: the hosts have a copy of the repository alone: put the file "
        "into its configs/, and run this there."
      )


def place(kind: str, flag: str, path: str) -> None:
  """Raises ValueError for a place that not all hosts would see."""
  if re.match("gs://[^/]+", path):
    return
  if not path.startswith("/"):
    raise ValueError(
      f"{flag}={path}: each host would have its own: give gs://BUCKET/PATH, "
      "or a path in full on a disk that all hosts see."
    )
  if kind not in _SHARED_DISK:
    raise ValueError(
      f"{flag}={path}: the hosts of {kind} share no disk: give "
      "gs://BUCKET/PATH."
    )


def data(kind: str, config: Any) -> None:
  """Raises ValueError for data that the hosts would not find."""
  for field in ("data_dir", "networks"):
    if config.get(field):
      place(kind, f"--config.{field}", config[field])
  names = config.get("datasets") or (config.get("dataset"),)
  missing = [name for name in names if name not in _WITHOUT_FILES]
  # Under Slurm, all hosts see the default, in the home directory.
  if missing and config.get("data_dir") == "" and kind != "slurm":
    raise ValueError(
      f"--config.data_dir is missing: the hosts have no {missing[0]}: prepare "
      "it in gs://BUCKET/data, and give that."
    )


def name(text: str, cell: str) -> str:
  """Returns the name of a job, if Kubernetes takes it."""
  whole = re.sub("[^a-z0-9]+", "-", f"{text}-{cell}".lower()).strip("-")
  if not re.fullmatch("[a-z][a-z0-9-]*", text) or len(whole) > _LONGEST_NAME:
    raise ValueError(
      f"--name={text}: the job would be {whole!r}: write lower case, digits "
      f"and '-', with at most {_LONGEST_NAME} characters in all."
    )
  return whole
