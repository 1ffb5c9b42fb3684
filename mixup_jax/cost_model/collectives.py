"""Counts the collectives of a compiled program, and bounds their time."""

import math
import re
from typing import NamedTuple

from mixup_jax.cost_model import chips
from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import loops

KINDS = (
  "all-reduce",
  "all-gather",
  "all-to-all",
  "collective-permute",
  "reduce-scatter",
)
# What crosses the network between slices is not on the interconnect of one.
BETWEEN = " between slices"
_TRANSFERS = {"ONE_TO_ONE": "collective-permute"}
_TRANSFER = re.compile(r'_xla_megascale_transfer_type="(\w+)"')

# How `replica_groups` says that groups have four members.
_LISTED = re.compile(r"replica_groups=\{\{([\d,]*)\}")  # {{0,1,2,3},{4,5,6,7}}
_COUNTED = re.compile(r"replica_groups=\[\d+,(\d+)\]")  # [2,4]<=[8]
# mesh['a'=2,'b'=4] {'b'}
_NAMED = re.compile(r"replica_groups=mesh\[([^\]]*)\] \{([^}]*)\}")


class Traffic(NamedTuple):
  """The number of collectives of one kind, and the bytes of their results."""

  number: int
  size: int


class Collective(NamedTuple):
  """A collective that runs.

  Attributes:
    kind: One of `KINDS`.
    size: Bytes of its results on a device, without padding.
    members: Devices that take part; None is all of the slice.
    times: How often it runs.
    between: Whether it is over the network between slices.
  """

  kind: str
  size: int
  members: int | None
  times: int = 1
  between: bool = False

  @property
  def label(self) -> str:
    """The kind, and over what."""
    return self.kind + BETWEEN * self.between


def find(program: hlo.Program) -> list[Collective]:
  """Returns the collectives of a program.

  Some are inside a fusion, or in one that starts beside others.

  Args:
    program: The program.

  Returns:
    The collectives of one device.
  """
  return [
    one
    for instruction, _, times in loops.executed(program)
    for one in _within(program, instruction, times)
  ]


def total(found: list[Collective]) -> dict[str, Traffic]:
  """Returns the number and the bytes of the collectives of each label."""
  sums: dict[str, Traffic] = {}
  for one in found:
    number, size = sums.get(one.label, Traffic(0, 0))
    sums[one.label] = Traffic(number + one.times, size + one.times * one.size)
  return sums


def seconds(found: list[Collective], pod: chips.Pod) -> tuple[float, float]:
  """Returns the shortest possible time of collectives, one after another.

  With S the bytes of the result on a device and n devices, a ring has each
  device send

  - 2 S (n - 1) / n bytes for an all-reduce,
  - S (n - 1) / n for an all-gather, and S (n - 1) for a reduce-scatter,
  - S to one neighbour for a collective-permute.

  All links of a chip carry equal parts of it, as rings along all axes of a
  slice do; only a collective-permute takes one link. In an all-to-all, S bytes
  travel over as many links as chips of the slice are apart on average, were all
  its axes rings. Neither the time of the first byte nor that of the sums
  counts, nor that a group of few chips may not reach all links. Between k
  slices, the same holds with n = k and the network of each chip.

  Args:
    found: The collectives.
    pod: The slices.

  Returns:
    The seconds on the interconnect of a slice, and on the network between
    slices.
  """
  inside = across = 0.0
  for one in found:
    if one.between:
      assert pod.chip.network is not None  # `topology.parse` asks.
      sent = _sent(one.kind, one.size, pod.slices)
      across += one.times * sent / pod.chip.network
      continue
    sent = _sent(one.kind, one.size, one.members or pod.size)
    links = pod.links
    if one.kind == "all-to-all":
      sent = one.size * pod.distance
    elif one.kind == "collective-permute":
      links = 1
    if links:  # Else between the devices of one chip.
      inside += one.times * sent / (links * pod.chip.link)
  return inside, across


def _sent(kind: str, size: int, members: int) -> float:
  """Returns the bytes that a device sends."""
  if kind == "collective-permute":
    return size
  others = members - 1
  if kind == "reduce-scatter":
    return size * others
  return (2 if kind == "all-reduce" else 1) * size * others / members


def _within(
  program: hlo.Program,
  instruction: hlo.Instruction,
  times: int,
  fusion: hlo.Instruction | None = None,
) -> list[Collective]:
  """Returns the collectives that an instruction is or contains."""
  found = _made(instruction, times, fusion)
  # A collective calls its sum; what a call has inside runs by itself.
  if instruction.called and not found and instruction.opcode != "call":
    inside = program.computations[instruction.called].instructions.values()
    for each in inside:
      found += _within(program, each, times, instruction)
  return found


def _made(
  instruction: hlo.Instruction, times: int, fusion: hlo.Instruction | None
) -> list[Collective]:
  """Returns the collective that an instruction is, if it is one."""
  kind = instruction.opcode.removesuffix("-start")
  if kind == "recv" and (named := _TRANSFER.search(instruction.attributes)):
    kind = _TRANSFERS.get(named[1], named[1].lower().replace("_", "-"))
    size = instruction.results[0].content
    return [Collective(kind, size, None, times, between=True)]
  if kind not in KINDS:
    return []
  results = instruction.results
  if fusion and "scatter" in (fusion.called or "") and kind == "all-reduce":
    # Fused with the slice that a device keeps of the sum.
    kind, results = "reduce-scatter", fusion.results
  sizes = [array.content for array in results]
  # The asynchronous start of one of these has its input among its results.
  both = instruction.opcode in ("all-gather-start", "collective-permute-start")
  size = max(sizes) if both else sum(sizes)
  return [Collective(kind, size, _members(instruction.attributes), times)]


def _members(attributes: str) -> int | None:
  """Returns the number of devices of the first group; None is all."""
  if found := _LISTED.search(attributes):
    return len(found[1].split(","))
  if found := _COUNTED.search(attributes):
    return int(found[1])
  if found := _NAMED.search(attributes):
    sizes = dict(re.findall(r"'(\w+)'=(\d+)", found[1]))
    return math.prod(int(sizes[axis]) for axis in re.findall(r"\w+", found[2]))
  return None
