"""Reads the text of a compiled program.

The text is that of `jax.stages.Compiled.as_text`: scheduled HLO, in which each
instruction is a kernel or a transfer, and what is fused into one stands in a
computation of its own. In the layouts of a TPU, `S(1)` is a memory on the chip,
other numbers are those of flags and scalars, and none is HBM:
`f32[64,128]{1,0:T(8,128)S(1)}`. `T(8,128)` is the tile to whose multiples the
last axes in memory are padded.
"""

import math
import re
from typing import NamedTuple

HBM = 0
ON_CHIP = 1

_ARRAY = re.compile(r"\b(pred|[a-z]+\d+\w*)\[([\d,]*)\](?:\{([^}]*)\})?")
_INSTRUCTION = re.compile(r"\s+(ROOT )?%?([\w.-]+) = (.*)")
_HEADER = re.compile(r"(ENTRY )?%?([\w.-]+) .*\{$")
_CALLED = re.compile(r"\b(?:calls|to_apply)=%?([\w.-]+)")
_FREE = (
  "after-all add-dependency bitcast constant get-tuple-element iota "
  "opt-barrier parameter partition-id replica-id tuple"
).split()
_VIEWS = (
  "AllocateBuffer AssumeGatherIndicesInBound ConcatBitcast SliceId".split()
)


class Array(NamedTuple):
  """An array.

  Attributes:
    size: Its bytes in memory, with the padding to tiles.
    space: The memory that it lies in, such as `HBM`.
    content: Its bytes without the padding.
  """

  size: int
  space: int
  content: int


class Instruction(NamedTuple):
  """An instruction.

  Attributes:
    name: Its name, unique in its computation.
    opcode: What it does.
    results: The arrays that come out, in the order of the text.
    operands: Names of instructions of the same computation.
    arguments: The text between the brackets.
    attributes: The text behind them.
  """

  name: str
  opcode: str
  results: list[Array]
  operands: list[str]
  arguments: str
  attributes: str

  @property
  def called(self) -> str | None:
    """The computation of a fusion or call."""
    found = _CALLED.search(self.attributes)
    return found and found[1]


class Computation(NamedTuple):
  """Instructions by name, in the order of the schedule, and the last's name."""

  instructions: dict[str, Instruction]
  root: str


class Program(NamedTuple):
  """Computations by name, and the name of the one that runs."""

  computations: dict[str, Computation]
  entry: str


def parse(text: str) -> Program:
  """Returns the computations of a compiled program.

  Args:
    text: The program, as `jax.stages.Compiled.as_text` returns it.

  Returns:
    The program.
  """
  computations: dict[str, Computation] = {}
  entry, name, inside, root = "", "", {}, ""
  for line in text.splitlines():
    if found := _INSTRUCTION.match(line):
      inside[found[2]] = _instruction(found[2], found[3])
      root = found[2] if found[1] else root
    elif found := _HEADER.match(line):
      name, inside, root = found[2], {}, ""
      entry = name if found[1] else entry
    elif line.startswith("}"):
      computations[name] = Computation(inside, root)
  return Program(computations, entry)


def is_view(instruction: Instruction) -> bool:
  """Whether an instruction moves nothing: it names what is there."""
  if instruction.opcode == "custom-call":
    return any(f'"{name}"' in instruction.attributes for name in _VIEWS)
  return instruction.opcode in _FREE


def arrays(text: str) -> list[Array]:
  """Returns the arrays of a type, such as `(f32[8]{0}, bf16[2,4])`."""
  return [_array(*parts) for parts in _ARRAY.findall(text)]


def _instruction(name: str, text: str) -> Instruction:
  types = _until_space(text)
  opcode, _, rest = text[len(types) + 1 :].partition("(")
  depth, end = 1, 0
  while depth and end < len(rest):
    depth += {"(": 1, ")": -1}.get(rest[end], 0)
    end += 1
  arguments, attributes = rest[: end - 1], rest[end:]
  operands = re.findall(r"%([\w.-]+)", arguments)
  return Instruction(
    name, opcode, arrays(types), operands, arguments, attributes
  )


def _until_space(text: str) -> str:
  """Returns the text before the first space outside brackets."""
  depth = 0
  for index, letter in enumerate(text):
    depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(letter, 0)
    if letter == " " and not depth:
      return text[:index]
  return text


def _array(kind: str, dimensions: str, layout: str) -> Array:
  """Returns the padded bytes of an array, such as `bf16` of `8,128`."""
  bits = 8 if kind == "pred" else int(re.findall(r"\d+", kind)[0])
  order, _, rest = layout.partition(":")
  sizes = [int(size) for size in dimensions.split(",") if size]
  content = math.prod(sizes) * bits // 8
  if order:  # From the axis that varies fastest.
    sizes = [sizes[int(axis)] for axis in reversed(order.split(","))]
  tile = re.match(r"T\(([\d,]+)\)", rest)
  if tile:
    lengths = [int(length) for length in tile[1].split(",")]
    sizes = [1] * (len(lengths) - len(sizes)) + sizes
    outer = len(sizes) - len(lengths)
    sizes[outer:] = [
      -(-size // length) * length
      for size, length in zip(sizes[outer:], lengths)
    ]
  space = re.search(r"S\((\d+)\)", rest)
  return Array(
    math.prod(sizes) * bits // 8, int(space[1]) if space else HBM, content
  )
