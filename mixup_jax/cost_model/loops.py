"""Says which instructions of a compiled program run, and how often."""

import re
from typing import Iterator, NamedTuple

from mixup_jax.cost_model.hlo import Computation
from mixup_jax.cost_model.hlo import Instruction
from mixup_jax.cost_model.hlo import Program

_BRANCHES = re.compile(r"branch_computations=\{([^}]*)\}")
_TWO_BRANCHES = re.compile(r"\b(?:true|false)_computation=%?([\w.-]+)")


class Executed(NamedTuple):
  """An instruction that runs, where it stands, and how often it runs."""

  instruction: Instruction
  computation: Computation
  times: int


def executed(program: Program) -> Iterator[Executed]:
  """Yields what runs; the body of a loop as often as it does.

  A loop of unknown length counts once, and each branch of a conditional counts.

  Args:
    program: The program.

  Yields:
    Its instructions, but for those inside fusions.
  """
  yield from _executed(program, program.entry, 1)


def lengths(program: Program) -> list[int | None]:
  """Returns the length of each loop that runs; None if it is not known."""
  return [
    trip_count(program, step)
    for step in executed(program)
    if step.instruction.opcode == "while"
  ]


def trip_count(program: Program, step: Executed) -> int | None:
  """Returns how often the body of a loop runs.

  Args:
    program: The program.
    step: The loop.

  Returns:
    The number that the compiler states, or that follows from a condition `i <
    limit`, a first `i`, and a body that adds to it, all constants that the body
    leaves as they are; else None.
  """
  loop = step.instruction
  if known := re.search(r'"known_trip_count":\{"n":"(\d+)"', loop.attributes):
    return int(known[1])
  condition = program.computations[_named(loop, "condition")]
  body = program.computations[_named(loop, "body")]
  test = condition.instructions[condition.root]
  if test.opcode != "compare" or "direction=LT" not in test.attributes:
    return None
  before = step.computation.instructions[loop.operands[0]]
  after = body.instructions[body.root]
  counter = _element(condition, test.operands[0])
  if {before.opcode, after.opcode} != {"tuple"} or counter is None:
    return None
  first = [_constant(step.computation, x, []) for x in before.operands]
  kept = [
    value if _element(body, name) == index else None
    for index, (value, name) in enumerate(zip(first, after.operands))
  ]
  limit = _constant(condition, test.operands[1], kept)
  start, stride = first[counter], _added(body, counter, kept)
  if start is None or limit is None or not stride or stride < 0:
    return None
  return max(0, -(-(limit - start) // stride))


def _executed(program: Program, name: str, times: int) -> Iterator[Executed]:
  computation = program.computations[name]
  for instruction in computation.instructions.values():
    step = Executed(instruction, computation, times)
    yield step
    count = trip_count(program, step) if instruction.opcode == "while" else 1
    inner = 1 if count is None else count
    for below in _below(instruction):
      yield from _executed(program, below, times * inner)


def _below(instruction: Instruction) -> list[str]:
  """Returns the computations that run as a part of an instruction."""
  if instruction.opcode == "while":
    return [_named(instruction, "body")]
  if instruction.opcode == "conditional":
    several = _BRANCHES.search(instruction.attributes)
    if several:
      return [name.strip(" %") for name in several[1].split(",")]
    return _TWO_BRANCHES.findall(instruction.attributes)
  called = instruction.called
  return [called] if called and instruction.opcode == "call" else []


def _named(instruction: Instruction, attribute: str) -> str:
  """Returns the computation that an attribute names."""
  found = re.search(rf"\b{attribute}=%?([\w.-]+)", instruction.attributes)
  assert found is not None, instruction
  return found[1]


def _source(computation: Computation, name: str) -> Instruction:
  """Returns the instruction whose value an instruction has, past copies."""
  found = computation.instructions[name]
  while found.opcode in ("copy", "bitcast"):
    found = computation.instructions[found.operands[0]]
  return found


def _element(computation: Computation, name: str) -> int | None:
  """Returns the number of the element of a tuple that a value is, or None."""
  found = _source(computation, name)
  if found.opcode != "get-tuple-element":
    return None
  return int(found.attributes.partition("index=")[2].split(",")[0])


def _constant(
  computation: Computation, name: str, carried: list[int | None]
) -> int | None:
  """Returns an integer that is known, also if a loop carries it unchanged."""
  found = _source(computation, name)
  if found.opcode == "constant" and found.arguments.lstrip("-").isdigit():
    return int(found.arguments)
  index = _element(computation, name)
  if index is None or index >= len(carried):
    return None
  return carried[index]


def _added(
  body: Computation, counter: int, carried: list[int | None]
) -> int | None:
  """Returns what the body of a loop adds to its counter, if it is known."""
  results = body.instructions[body.root].operands
  after = _source(body, results[counter])
  if after.opcode != "add":
    return None
  others = [x for x in after.operands if _element(body, x) != counter]
  return _constant(body, others[0], carried) if len(others) == 1 else None
