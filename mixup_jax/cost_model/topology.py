"""Makes meshes of TPU slices that need not exist."""

import os
import re
from typing import Any

import jax

from mixup_jax import sharding
from mixup_jax.cost_model import chips

_NO_TPU = {  # Else libtpu looks for a TPU, and prints what it does not find.
  "TPU_SKIP_MDS_QUERY": "1",
  "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",  # Else libtpu takes a lock.
  "TPU_WORKER_HOSTNAMES": "localhost",
  "TPU_ACCELERATOR_TYPE": "v5litepod-4",
  "TPU_MIN_LOG_LEVEL": "3",
  "TPU_STDERR_LOG_LEVEL": "3",
  "TF_CPP_MIN_LOG_LEVEL": "3",
}
_NAME = re.compile(r"(?:(\d+)x)?([a-z]\w*):(\d+(?:x\d+)*)")


def hide_tpu() -> None:
  """Keeps jax from looking for a TPU; call it before jax does."""
  os.environ.update(_NO_TPU)
  jax.config.update("jax_platforms", "cpu")


def parse(name: str) -> chips.Pod:
  """Returns the slices of a name.

  Args:
    name: Kind and shape, such as "v5e:16x16", or several slices of it:
      "2xv5e:16x16".

  Returns:
    The slices.

  Raises:
    ValueError: If the name is not of this form, or of several slices of a chip
      for which no rate between slices is published.
  """
  found = _NAME.fullmatch(name)
  slices = int(found[1] or 1) if found else 0
  if not found or found[2] not in chips.CHIPS or not slices:
    raise ValueError(
      f"unknown topology {name!r}: give a kind of {', '.join(chips.CHIPS)} "
      "and a shape, such as v5e:16x16 or v5p:4x4x8; 2xv5e:16x16 is two slices."
    )
  chip = chips.CHIPS[found[2]]
  if slices > 1 and chip.network is None:
    raise ValueError(
      f"no rate between slices is published for {found[2]}: estimate one "
      f"slice, {found[2]}:{found[3]}."
    )
  return chips.Pod(chip, tuple(map(int, found[3].split("x"))), slices)


def make_mesh(name: str) -> tuple[sharding.Mesh, chips.Pod]:
  """Returns the mesh of TPU slices that need not exist, and what they are.

  Args:
    name: As in `parse`.

  Returns:
    The data mesh over their chips, and the slices.

  Raises:
    ValueError: If there is no such topology, or the compiler is not installed.
  """
  pod = parse(name)
  try:
    import libtpu  # noqa: F401  Only the extra installs it.
  except ImportError:
    raise ValueError(
      "a cost estimate needs the TPU compiler: pip install -e '.[rehearse]'"
    ) from None
  from jax.experimental import topologies

  one = re.sub(r"^\d+x", "", name)
  options: dict[str, Any] = dict(pod.chip.options)
  if pod.slices > 1:
    options["num_slices"] = pod.slices
  try:
    found = topologies.get_topology_desc(
      platform="tpu", topology_name=one, **options
    )
  except Exception as error:  # Of many types, with a message of the compiler.
    reason = str(error).strip().splitlines()[0]
    raise ValueError(
      f"there is no topology {name!r} ({reason}): give the shape of a slice, "
      "such as v5e:16x16."
    ) from error
  return sharding.make_mesh(found.devices), pod
