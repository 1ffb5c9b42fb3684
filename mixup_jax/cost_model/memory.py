"""Counts the bytes that a compiled program moves, by memory space."""

from typing import NamedTuple

from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import loops

_CUTS = "slice", "dynamic-slice", "gather"
_PASSING = "bitcast", "reshape", "copy-done", "opt-barrier"
_OUTER = "while", "conditional", "call"


class Moved(NamedTuple):
  """Bytes read from a memory and written to it."""

  read: int = 0
  written: int = 0


class Access(NamedTuple):
  """Bytes of an operand, or of a result if it has no name."""

  array: hlo.Array
  operand: str | None = None


def count(program: hlo.Program) -> dict[int, Moved]:
  """Counts the bytes that a program moves, by memory space.

  Each instruction reads its operands and writes its results, in the space of
  their layout and with the padding to tiles; copies between spaces read the one
  and write the other. A slice or gather, also inside a fusion, reads what it
  takes, and an update of a slice writes what it changes. Views move nothing.

  It is an estimate: a kernel may read an operand more than once, and a scatter
  counts as if it wrote all of its result.

  Args:
    program: The program.

  Returns:
    The bytes of one device by memory space, such as `hlo.HBM`.
  """
  spaces: dict[int, Moved] = {}
  for step in loops.executed(program):
    for array, operand in accesses(program, step):
      read, written = spaces.get(array.space, Moved())
      size = step.times * array.size
      spaces[array.space] = (
        Moved(read, written + size)
        if operand is None
        else Moved(read + size, written)
      )
  return spaces


def sharded_inputs(program: hlo.Program) -> int:
  """Returns the bytes of the parameters that are spread over the devices.

  They are what streams in for a step. Parameters that every device has whole
  are the state, or data in device memory, of which a step takes some rows.
  """
  return sum(
    array.size
    for instruction in program.computations[program.entry].instructions.values()
    if instruction.opcode == "parameter"
    and "sharding={devices=" in instruction.attributes
    for array in instruction.results
  )


def accesses(program: hlo.Program, step: loops.Executed) -> list[Access]:
  """Returns the arrays, or parts of them, that one instruction moves.

  Of an asynchronous one, the start reads and the end writes.
  """
  instruction, computation, _ = step
  opcode = instruction.opcode
  if hlo.is_view(instruction) or opcode in (*_OUTER, "recv"):
    return []
  found = []
  if not opcode.endswith("-done"):
    for index, operand in enumerate(instruction.operands):
      for whole in computation.instructions[operand].results:
        size = _read(program, instruction, index, whole.size)
        found.append(Access(whole._replace(size=size), operand))
  if not opcode.endswith("-start") and opcode != "send":
    sizes = _written(program, instruction, computation)
    for array, size in zip(instruction.results, sizes, strict=True):
      found.append(Access(array._replace(size=size)))
  return found


def _read(
  program: hlo.Program, user: hlo.Instruction, index: int, whole: int
) -> int:
  """Returns the bytes that an instruction reads of one of its operands."""
  opcode = user.opcode.removesuffix("-start")
  if opcode in _CUTS and index == 0:
    # The start of a slice has its operands, then what it takes, as results.
    after = len(user.operands) if user.opcode != opcode else 0
    return min(whole, user.results[after].size)
  if opcode == "dynamic-update-slice" and index == 0:
    return 0
  if opcode not in ("fusion", "async") or user.called is None:
    return whole
  inside = program.computations[user.called]
  for instruction in inside.instructions.values():
    if instruction.opcode == "parameter" and instruction.arguments == str(
      index
    ):
      return _used(program, inside, instruction.name, whole)
  return whole


def _used(
  program: hlo.Program, inside: hlo.Computation, name: str, whole: int
) -> int:
  """Returns the bytes that the users of a value in a fusion read of it."""
  total = 0
  for user in inside.instructions.values():
    for index, operand in enumerate(user.operands):
      if operand != name:
        continue
      if user.opcode in _PASSING:
        total += _used(program, inside, user.name, whole)
      else:
        total += _read(program, user, index, whole)
  return min(total, whole)


def _written(
  program: hlo.Program,
  instruction: hlo.Instruction,
  computation: hlo.Computation,
) -> list[int]:
  """Returns the bytes that an instruction writes of each of its results."""
  sizes = [array.size for array in instruction.results]
  if instruction.opcode == "dynamic-update-slice":
    update = computation.instructions[instruction.operands[1]]
    return [update.results[0].size]
  if instruction.opcode != "fusion" or instruction.called is None:
    return sizes
  inside = program.computations[instruction.called]
  root = inside.instructions[inside.root]
  made = root.operands if root.opcode == "tuple" else [root.name]
  if len(made) != len(sizes):
    return sizes
  return [
    _changed(inside, name, size) for name, size in zip(made, sizes, strict=True)
  ]


def _changed(inside: hlo.Computation, name: str, whole: int) -> int:
  """Returns the bytes that a fusion writes of one of its results."""
  found = inside.instructions[name]
  while found.opcode in _PASSING:
    found = inside.instructions[found.operands[0]]
  if found.opcode != "dynamic-update-slice":
    return whole
  return min(whole, inside.instructions[found.operands[1]].results[0].size)
