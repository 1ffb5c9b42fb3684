"""Tests of reading compiled programs."""

import jax
import jax.numpy as jnp
import pytest

from mixup_jax.cost_model import hlo

TEXT = """HloModule jit_f, is_scheduled=true

%fused (p: f32[8,128]) -> f32[8,128] {
  %p = f32[8,128]{1,0:T(8,128)S(1)} parameter(0)
  ROOT %neg.1 = f32[8,128]{1,0:T(8,128)} negate(%p), metadata={op_name="a(b)"}
}

ENTRY %main (x: f32[8,128]) -> f32[8,128] {
  %x = f32[8,128]{1,0:T(8,128)} parameter(0), sharding={replicated}
  %copy-start = (f32[8,128]{1,0:S(1)}, /*index=1*/f32[8,128]{1,0}, u32[]) \
copy-start(%x)
  %copy-done = f32[8,128]{1,0:T(8,128)S(1)} copy-done(%copy-start)
  ROOT %neg = f32[8,128]{1,0:T(8,128)} fusion(%copy-done), calls=%fused
}
"""


def test_parse_finds_computations_and_their_instructions():
  program = hlo.parse(TEXT)
  assert program.entry == "main" and list(program.computations) == [
    "fused",
    "main",
  ]
  main = program.computations["main"]
  assert list(main.instructions) == ["x", "copy-start", "copy-done", "neg"]
  assert main.root == "neg" and program.computations["fused"].root == "neg.1"
  start, neg = main.instructions["copy-start"], main.instructions["neg"]
  assert start.opcode == "copy-start" and start.operands == ["x"]
  assert [array.space for array in start.results] == [hlo.ON_CHIP, hlo.HBM, 0]
  assert (neg.opcode, neg.operands, neg.called) == (
    "fusion",
    ["copy-done"],
    "fused",
  )
  assert main.instructions["x"].called is None


def test_parse_reads_what_jax_compiles():
  text = (
    jax.jit(lambda x: x @ x)
    .lower(jax.ShapeDtypeStruct((4, 4), jnp.float32))
    .compile()
    .as_text()
  )
  program = hlo.parse(text)
  root = program.computations[program.entry]
  assert [array.content for array in root.instructions[root.root].results] == [
    64
  ]


@pytest.mark.parametrize(
  "text, size, space, content",
  [
    ("f32[8,128]", 4096, 0, 4096),
    ("f32[64]{0:T(128)S(1)}", 512, 1, 256),  # Padded to one tile.
    ("f32[]{:T(128)}", 512, 0, 4),
    # The axis of 9 varies slowest, and is not in the tile.
    ("bf16[5,9,130]{2,0,1:T(8,128)(2,1)}", 9 * 8 * 256 * 2, 0, 11700),
    ("pred[3]{0}", 3, 0, 3),
    ("s4[6]", 3, 0, 3),
  ],
)
def test_arrays_have_their_padding_and_space(text, size, space, content):
  assert hlo.arrays(text) == [hlo.Array(size, space, content)]


def test_arrays_of_a_tuple_leave_out_tokens():
  found = hlo.arrays("(f32[2]{0}, token[], /*index=2*/(u8[3]{0}, s32[]))")
  assert [array.content for array in found] == [8, 3, 4]


def test_is_view_is_true_of_what_moves_nothing():
  def instruction(opcode, attributes=""):
    return hlo.Instruction("x", opcode, [], [], "", attributes)

  assert hlo.is_view(instruction("bitcast"))
  assert hlo.is_view(
    instruction("custom-call", 'custom_call_target="ConcatBitcast"')
  )
  assert not hlo.is_view(instruction("custom-call", 'custom_call_target="F"'))
  assert not hlo.is_view(instruction("copy"))
