"""The kinds of launch files: what fills the template of each."""

import datetime
import pathlib
import shlex
from typing import Callable, Mapping, NamedTuple

from experiments.launch import slices
from experiments.launch import statuses
from experiments.launch import text
from experiments.launch.job import Job

_TEMPLATES = pathlib.Path(__file__).parent / "templates"
# What a run needs of the repository; the Dockerfile copies the same.
PARTS = (
  *("setup.cfg", "pyproject.toml", "README.md", "LICENSE"),
  *("mixup_jax", "configs", "experiments"),
)
_UV, _PYTHON = "0.13.9", "3.12"
_CORES_PER_GPU = 8
_TODAY = datetime.date.today().isoformat()


class Kind(NamedTuple):
  """A kind of launch file.

  Attributes:
    suffix: The end of the name of a file.
    start: The command that starts it; "FILE" is its path.
    options: The options that it has and others may not, with their defaults;
      None must be given.
    values: Returns what fills the template.
  """

  suffix: str
  start: str
  options: Mapping[str, str | None]
  values: Callable[[Job], dict[str, str]]


def render(kind: str, job: Job) -> str:
  """Returns the text of a launch file.

  Args:
    kind: A key of `KINDS`.
    job: What it starts.
  """
  values = {**_shared(job), **KINDS[kind].values(job)}
  template = (_TEMPLATES / f"{kind}{KINDS[kind].suffix}").read_text("utf-8")
  return text.fill(template, values)


def _shared(job: Job) -> dict[str, str]:
  """Returns what every template may have."""
  many = f"{job.slices} slices of " if job.slices > 1 else ""
  return {
    "name": job.name,
    "devices": f"{many}{job.slice.kind}:{job.slice.shape}",
    "made_by": "\n".join(f"#     {line}" for line in job.made_by.splitlines()),
    "hosts": str(job.slice.hosts),
    "devices_per_host": str(job.slice.devices_per_host),
    "grace": str(job.grace),
    "max_restarts": str(statuses.MAX_RESTARTS),
    "parts": " ".join(PARTS),
  }


def _jobset(job: Job) -> dict[str, str]:
  """Returns what fills the template of a JobSet."""
  tpu = slices.TPUS[job.slice.kind]
  queue, account = job.options["queue"], job.options["service_account"]
  labels = f"labels:\n  kueue.x-k8s.io/queue-name: {text.yaml(queue)}"
  words = ["python", *job.command]
  return {
    "machine": f"{tpu.machine}-{job.slice.devices_per_host}t",
    "pods": str(job.slice.hosts * job.slices),
    "accelerator": tpu.accelerator,
    "topology": job.slice.shape,
    "slices": str(job.slices),
    # Of success the set knows by itself.
    "final": ", ".join(str(code) for code in statuses.final() if code),
    "image": text.yaml(job.options["image"]),
    "labels": labels if queue else "",
    "service_account": f"serviceAccountName: {text.yaml(account)}"
    if account
    else "",
    "compile_cache": text.yaml(job.compile_cache),
    "command": "\n".join(f"- {text.yaml(word)}" for word in words),
  }


def _skypilot(job: Job) -> dict[str, str]:
  """Returns what fills the template of a SkyPilot task."""
  # SkyPilot ends others with SIGKILL, which must not hide a final status.
  again = [code for code in statuses.again() if code not in (137, 255)]
  return {
    "infra": text.yaml(job.options["infra"]),
    "accelerator_type": job.slice.accelerator_type,
    "runtime": slices.TPUS[job.slice.kind].runtime,
    "again": ", ".join(map(str, again)),
    "compile_cache": text.yaml(job.compile_cache),
    "install": _install(job.options["exclude_newer"]),
    "command": text.shell(["~/mixup_venv/bin/python", *job.command]),
  }


def _slurm(job: Job) -> dict[str, str]:
  """Returns what fills the template of a Slurm batch script."""
  processes = int(job.options["processes_per_host"])
  gpus = job.slice.devices_per_host // processes
  sharing = "A process a host has all its GPUs."
  if processes > 1:
    sharing = "The processes of a host share out its GPUs."
  return {
    "processes": str(processes),
    "cpus": str(gpus * _CORES_PER_GPU),
    "time": job.options["time"],
    "sharing": sharing,
    "compile_cache": shlex.quote(job.compile_cache),
    "final": _pattern(),
    "command": text.shell([".venv/bin/python", *job.command]),
  }


def _tpu_vm(job: Job) -> dict[str, str]:
  """Returns what fills the template of a script for TPU virtual machines."""
  return {
    "tpu": shlex.quote(job.options["tpu"]),
    "zone": shlex.quote(job.options["zone"]),
    "accelerator_type": job.slice.accelerator_type,
    "final": _pattern(),
    "compile_cache": shlex.quote(job.compile_cache),
    "install": _install(job.options["exclude_newer"]),
    "command": text.shell(["~/mixup_venv/bin/python", *job.command]),
  }


def _install(exclude_newer: str) -> str:
  """Returns shell commands that make Python and all packages, by date."""
  return "\n".join(
    (
      'export PATH="$HOME/.local/bin:$PATH"',
      f"curl -LsSf https://astral.sh/uv/{_UV}/install.sh | sh",
      f"uv venv --clear --python={_PYTHON} ~/mixup_venv",
      "uv pip install --python ~/mixup_venv/bin/python \\",
      f"  --exclude-newer={exclude_newer} '.[experiments,tpu,gcs]'",
    )
  )


def _pattern() -> str:
  """Returns the final statuses as a pattern of the shell's `case`."""
  return " | ".join(map(str, statuses.final()))


KINDS = {
  "jobset": Kind(
    ".yaml",
    "kubectl apply --filename=FILE",
    {"image": None, "queue": "", "service_account": ""},
    _jobset,
  ),
  "skypilot": Kind(
    ".yaml",
    "sky jobs launch FILE",
    {"infra": "gcp", "exclude_newer": _TODAY},
    _skypilot,
  ),
  "slurm": Kind(
    ".sh",
    "sbatch FILE",
    {"time": "24:00:00", "processes_per_host": "1"},
    _slurm,
  ),
  "tpu_vm": Kind(
    ".sh",
    "bash FILE",
    {"tpu": None, "zone": None, "exclude_newer": _TODAY},
    _tpu_vm,
  ),
}
