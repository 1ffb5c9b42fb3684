"""TPU slices and GPU hosts: their shapes, and their names elsewhere."""

import math
import re
from typing import NamedTuple

GPU = "gpu"
_CHIPS_PER_HOST = 4  # But for slices of one chip.


class Tpu(NamedTuple):
  """A kind of TPU, with the names of the documentation of Google Cloud.

  Attributes:
    accelerator: The label of its nodes on Google Kubernetes Engine.
    machine: The machine type of such a node, but for its number of chips.
    type: The prefix of its accelerator type in the Cloud TPU API.
    cores: What that type counts for a chip.
    runtime: The version of the software of its virtual machines.
    shapes: The small shapes; larger ones of three dimensions are multiples of
      4 in each.
  """

  accelerator: str
  machine: str
  type: str
  cores: int
  runtime: str
  shapes: tuple[str, ...]


_FLAT = ("1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16")
_DEEP = ("2x2x1", "2x2x2", "2x2x4", "2x4x4", "4x4x4")
TPUS = {
  "v4": Tpu(
    "tpu-v4-podslice", "ct4p-hightpu", "v4", 2, "tpu-ubuntu2204-base", _DEEP
  ),
  "v5e": Tpu(
    "tpu-v5-lite-podslice",
    "ct5lp-hightpu",
    "v5litepod",
    1,
    "v2-alpha-tpuv5-lite",
    _FLAT,
  ),
  "v5p": Tpu(
    "tpu-v5p-slice", "ct5p-hightpu", "v5p", 2, "v2-alpha-tpuv5", _DEEP
  ),
  "v6e": Tpu(
    "tpu-v6e-slice", "ct6e-standard", "v6e", 1, "v2-alpha-tpuv6e", _FLAT
  ),
}


class Slice(NamedTuple):
  """The devices of a run, or of one of its slices.

  Attributes:
    kind: A key of `TPUS`, or "gpu".
    shape: The topology of a TPU slice, such as "4x4".
    devices: How many there are.
    hosts: How many hosts have them.
  """

  kind: str
  shape: str
  devices: int
  hosts: int

  @property
  def devices_per_host(self) -> int:
    """The devices of each host."""
    return self.devices // self.hosts

  @property
  def accelerator_type(self) -> str:
    """The name in the Cloud TPU API, such as "v5litepod-16"."""
    tpu = TPUS[self.kind]
    return f"{tpu.type}-{self.devices * tpu.cores}"


def parse(text: str) -> Slice:
  """Parses the kind and shape of a slice.

  Args:
    text: Such as "v5e:16x16" or "v5p:4x4x8"; "gpu:4x8" is 4 hosts of 8 GPUs.

  Returns:
    The slice.

  Raises:
    ValueError: If there is no such kind or shape.
  """
  kind, _, shape = text.partition(":")
  if kind not in (*TPUS, GPU) or not re.fullmatch(
    r"[1-9]\d*(x[1-9]\d*)+", shape
  ):
    raise ValueError(
      f"--slice={text}: give a kind of {', '.join(TPUS)} and a shape, such as "
      "v5e:16x16 or v5p:4x4x8, or gpu:HOSTSxGPUS, such as gpu:4x8."
    )
  sides = [int(side) for side in shape.split("x")]
  count = math.prod(sides)
  if kind == GPU:
    if len(sides) != 2:
      raise ValueError(
        f"--slice={text}: GPUs have two numbers, hosts and GPUs of each, such "
        "as gpu:4x8."
      )
    return Slice(kind, shape, count, sides[0])
  shapes = TPUS[kind].shapes
  is_large = shapes is _DEEP and len(sides) == 3 and sides == sorted(sides)
  if shape not in shapes and not (is_large and all(s % 4 == 0 for s in sides)):
    more = ", or larger with multiples of 4" if shapes is _DEEP else ""
    raise ValueError(
      f"--slice={text}: there is no such slice; {kind} has the shapes "
      f"{', '.join(shapes)}{more}."
    )
  return Slice(kind, shape, count, max(count // _CHIPS_PER_HOST, 1))
