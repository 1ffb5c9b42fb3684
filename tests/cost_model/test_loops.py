"""Tests of how often instructions run."""

import jax
import jax.numpy as jnp
import pytest

from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import loops

# Adds BY to a counter from FIRST while it is below LIMIT.
TEXT = """HloModule jit_f

%body (b: (s32[], f32[4], s32[])) -> (s32[], f32[4], s32[]) {
  %b = (s32[], f32[4]{0}, s32[]) parameter(0)
  %i = s32[] get-tuple-element(%b), index=0
  %by = s32[] get-tuple-element(%b), index=2
  %copy.1 = s32[] copy(%i)
  %next = s32[] STEP(%copy.1, %by)
  %y = f32[4]{0} get-tuple-element(%b), index=1
  %z = f32[4]{0} negate(%y)
  ROOT %t = (s32[], f32[4]{0}, s32[]) tuple(%next, %z, %by)
}

%test (c: (s32[], f32[4], s32[])) -> pred[] {
  %c = (s32[], f32[4]{0}, s32[]) parameter(0)
  %j = s32[] get-tuple-element(%c), index=0
  %limit = s32[] constant(LIMIT)
  ROOT %less = pred[] compare(%j, %limit), direction=LT
}

%double (d: f32[4]) -> f32[4] {
  %d = f32[4]{0} parameter(0)
  ROOT %twice = f32[4]{0} add(%d, %d)
}

ENTRY %main (x: f32[4], n: s32[]) -> f32[4] {
  %x = f32[4]{0} parameter(0)
  %n = s32[] parameter(1)
  %first = s32[] constant(FIRST)
  %stride = s32[] constant(BY)
  %all = (s32[], f32[4]{0}, s32[]) tuple(%first, %x, %stride)
  %loop = (s32[], f32[4]{0}, s32[]) while(%all), condition=%test, body=%body
  %out = f32[4]{0} get-tuple-element(%loop), index=1
  ROOT %called = f32[4]{0} call(%out), to_apply=%double
}
"""


def program(first="0", limit="5", by="1", step="add"):
  text = TEXT.replace("FIRST", first).replace("LIMIT", limit)
  return hlo.parse(text.replace("BY", by).replace("STEP", step))


@pytest.mark.parametrize(
  "first, limit, by, length",
  [("0", "5", "1", 5), ("2", "7", "2", 3), ("-1", "3", "4", 1)],
)
def test_lengths_follow_from_constants(first, limit, by, length):
  assert loops.lengths(program(first, limit, by)) == [length]


@pytest.mark.parametrize("by, step", [("1", "multiply"), ("-1", "add")])
def test_lengths_are_unknown_unless_a_body_counts_up(by, step):
  assert loops.lengths(program(by=by, step=step)) == [None]


def test_lengths_are_unknown_if_the_first_is_not_constant():
  text = TEXT.replace("tuple(%first", "tuple(%n").replace("LIMIT", "5")
  text = text.replace("BY", "1").replace("STEP", "add").replace("FIRST", "0")
  assert loops.lengths(hlo.parse(text)) == [None]


def test_lengths_are_unknown_if_a_body_changes_what_it_adds():
  text = TEXT.replace("tuple(%next, %z, %by)", "tuple(%next, %z, %next)")
  text = text.replace("LIMIT", "5").replace("BY", "1").replace("STEP", "add")
  assert loops.lengths(hlo.parse(text.replace("FIRST", "0"))) == [None]


def test_executed_counts_bodies_as_often_as_they_run():
  times = {
    step.instruction.name: step.times for step in loops.executed(program())
  }
  assert times["z"] == 5 and times["x"] == times["twice"] == 1


def test_executed_counts_each_branch_of_a_conditional():
  text = """HloModule jit_f

%a (p: f32[4]) -> f32[4] {
  %p = f32[4]{0} parameter(0)
  ROOT %neg = f32[4]{0} negate(%p)
}

%b (q: f32[4]) -> f32[4] {
  %q = f32[4]{0} parameter(0)
  ROOT %exp = f32[4]{0} exponential(%q)
}

ENTRY %main (n: s32[], x: f32[4]) -> f32[4] {
  %n = s32[] parameter(0)
  %x = f32[4]{0} parameter(1)
  ROOT %c = f32[4]{0} conditional(%n, %x, %x), BRANCHES
}
"""
  for branches in (
    "branch_computations={%a, %b}",
    "true_computation=%a, false_computation=%b",
  ):
    found = loops.executed(hlo.parse(text.replace("BRANCHES", branches)))
    opcodes = [step.instruction.opcode for step in found]
    assert {"negate", "exponential"} < set(opcodes)


def test_lengths_are_those_of_a_scan_that_jax_compiles():

  def several(x):
    return jax.lax.scan(lambda c, _: (jnp.sin(c) @ c, None), x, length=7)[0]

  rows = jax.ShapeDtypeStruct((16, 16), jnp.float32)
  text = jax.jit(several).lower(rows).compile().as_text()
  assert loops.lengths(hlo.parse(text)) == [7]
