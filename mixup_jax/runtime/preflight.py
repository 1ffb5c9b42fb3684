"""What several processes compare before the first step.

One with other code, another config or a device less does not fail in jax: all
wait for each other, for ever. So everything is compared that can be, and told
in words, by all of them, before that:

    when they meet         code, versions, config: before jax starts
    before the data        devices, and whether they see one disk
    before the first step  whether each could read the data
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

_CODE = ("mixup_jax", "configs", "experiments")
_PACKAGES = ("jax", "jaxlib", "libtpu", "flax", "optax", "numpy")
_TOKEN = ".preflight-"
_DISK_SECONDS = 10.0  # A file on a common disk is seen elsewhere later.


def identity(section: str, config: Mapping[str, Any]) -> dict[str, Any]:
  """Returns what must be the same in all processes of a run, by name.

  Args:
    section: The name of the section.
    config: Its config, in plain values.

  Returns:
    The section, the versions of Python and of what computes, a hash of each
    file of code (a pod has copies, and no git), and each value of the config.
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
  workdir: pathlib.Path, expect_devices: int | None
) -> Iterator[None]:
  """Compares the processes before the data is loaded within it, and after.

  The first one prints a line when all is well; a single process prints nothing.

  Args:
    workdir: The working directory, which all must see.
    expect_devices: How many devices there must be, if that is known.

  Yields:
    Nothing.

  Raises:
    ValueError: If the devices are not as many as expected, or not the same in
      all processes.
    OSError: If this process does not see the disk of the first one.
    TimeoutError: If one of them does not come.
  """
  is_first = jax.process_index() == 0
  kind = jax.local_devices()[0].device_kind
  mine = f"{jax.local_device_count()} {kind}"
  token = workdir / f"{_TOKEN}{uuid.uuid4().hex}"
  try:
    if is_first and jax.process_count() > 1:
      token.touch()
    reports = distributed.exchange({"devices": mine, "token": token.name})
    _check_devices(reports, expect_devices)
    _check_disk(workdir, reports)
    yield
    distributed.exchange({})  # Nobody goes on before all have loaded.
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
  """Raises if the processes do not have the devices that they should."""
  by_host = [
    (report["host"], {"devices": report["devices"]}) for report in reports
  ]
  found = distributed.differences(by_host)
  if found:
    raise ValueError(
      f"not all processes have the same devices:\n{found}\n"
      "Look whether some are taken or broken there, and give "
      "each process as many."
    )
  count = jax.device_count()
  if expect_devices not in (None, count):
    raise ValueError(
      f"expected {expect_devices} devices, and there are {count}: "
      f"{len(reports)} process(es) with {reports[0]['devices']} each, from "
      f"{reports[0]['host']} to {reports[-1]['host']}. Start as many as are "
      "needed, or change --expect_devices."
    )


def _check_disk(workdir: pathlib.Path, reports: list[dict[str, Any]]) -> None:
  """Raises if this process does not see what the first one has written."""
  token = workdir / reports[0]["token"]
  deadline = time.monotonic() + _DISK_SECONDS
  while len(reports) > 1 and not token.exists():
    if time.monotonic() > deadline:
      own = reports[jax.process_index()]["host"]
      raise OSError(
        f"process {jax.process_index()} ({own}) does not see in {workdir} "
        f"what process 0 ({reports[0]['host']}) has written there: mount the "
        "same disk on all hosts, and give it with --workdir."
      )
    time.sleep(0.2)
