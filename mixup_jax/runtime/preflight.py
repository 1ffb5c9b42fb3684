"""Consistency checks of several processes before the first step.

A process with other code, another config or fewer devices does not fail in jax:
all processes wait for each other forever. So they compare everything that can
differ, and each reports the differences:

    on connecting          code, versions, config: before jax starts
    before the data        devices, and whether all see the same disk
    before the first step  whether each process read the data
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import pathlib
import platform
import time
from typing import Any, Iterator, Mapping
import uuid

import jax

from mixup_jax.results import workdirs
from mixup_jax.runtime import distributed
from mixup_jax.runtime import storage

_CODE = ("mixup_jax", "configs", "experiments")
_PACKAGES = ("jax", "jaxlib", "libtpu", "flax", "optax", "numpy")
_TOKEN = ".preflight-"
_DISK_SECONDS = 10.0  # A file on a shared disk appears elsewhere with a delay.


def identity(section: str, config: Mapping[str, Any]) -> dict[str, Any]:
  """Returns what must be the same in all processes of a run, by name.

  Args:
    section: The name of the section.
    config: Its config, in plain values.

  Returns:
    The section, the versions of Python and of numerical packages, a hash of
    each source file (a pod has copies, without git), and each value of the
    config.
  """
  versions = {"python": platform.python_version()}
  for name in _PACKAGES:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
      versions[name] = importlib.metadata.version(name)
  hashes = {}
  for name in _CODE:
    spec = importlib.util.find_spec(name)
    for folder in (spec and spec.submodule_search_locations) or ():
      for path in sorted(pathlib.Path(folder).rglob("*.py")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        hashes[f"{name}/{path.relative_to(folder).as_posix()}"] = digest
  return {"section": section, **versions, **hashes, **workdirs.flat(config)}


@contextlib.contextmanager
def checked(
  workdir: storage.Path, expect_devices: int | None
) -> Iterator[None]:
  """Compares the processes before and after the body, which loads the data.

  Process 0 prints one line if all agree; a single process prints nothing.

  Args:
    workdir: The working directory, which all must see.
    expect_devices: The required number of devices, or None.

  Yields:
    Nothing.

  Raises:
    ValueError: If the number of devices is not as expected, or the devices of
      the processes differ.
    OSError: If this process does not see the disk of process 0.
    TimeoutError: If a process does not arrive.
  """
  is_first = jax.process_index() == 0
  kind = jax.local_devices()[0].device_kind
  mine = f"{jax.local_device_count()} {kind}"
  token = workdir / f"{_TOKEN}{uuid.uuid4().hex}"
  try:
    if is_first and jax.process_count() > 1:
      token.write_bytes(b"")
    reports = distributed.exchange({"devices": mine, "token": token.name})
    _check_devices(reports, expect_devices)
    _check_disk(workdir, reports)
    yield
    distributed.exchange({})  # No process continues before all have loaded.
  finally:
    token.unlink(missing_ok=True)
  if is_first and len(reports) > 1:
    print(
      f"preflight: {len(reports)} processes x {mine}, same code, versions "
      "and config; one disk, data readable",
      flush=True,
    )


def _check_devices(
  reports: list[dict[str, Any]], expect_devices: int | None
) -> None:
  """Raises ValueError if the processes have wrong or different devices."""
  by_host = [
    (report["host"], {"devices": report["devices"]}) for report in reports
  ]
  found = distributed.differences(by_host)
  if found:
    raise ValueError(
      f"not all processes have the same devices:\n{found}\n"
      "Check whether some are in use or broken, and give each process the "
      "same number."
    )
  count = jax.device_count()
  if expect_devices not in (None, count):
    raise ValueError(
      f"expected {expect_devices} devices, but found {count}: "
      f"{len(reports)} process(es) with {reports[0]['devices']} each, from "
      f"{reports[0]['host']} to {reports[-1]['host']}. Start as many as are "
      "needed, or change --expect_devices."
    )


def _check_disk(workdir: storage.Path, reports: list[dict[str, Any]]) -> None:
  """Raises OSError if this process does not see a file of process 0."""
  token = workdir / reports[0]["token"]
  deadline = time.monotonic() + _DISK_SECONDS
  while len(reports) > 1 and not token.exists():
    if time.monotonic() > deadline:
      own = reports[jax.process_index()]["host"]
      raise OSError(
        f"process {jax.process_index()} ({own}) does not see the file that "
        f"process 0 ({reports[0]['host']}) wrote to {workdir}: mount the same "
        "disk on all hosts, and pass a directory on it as --workdir, or gs://."
      )
    time.sleep(0.2)
