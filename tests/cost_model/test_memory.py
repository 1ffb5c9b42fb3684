"""Tests of bytes by memory space, on programs whose traffic is known."""

import jax
import jax.numpy as jnp
import pytest

from mixup_jax import sharding
from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import measure
from mixup_jax.cost_model import memory
from mixup_jax.cost_model import topology

ROW = 128 * 4  # Bytes.

FUSED = """
%add (a: f32[8,128], b: f32[8,128]) -> f32[8,128] {
  %a = f32[8,128]{1,0} parameter(0)
  %b = f32[8,128]{1,0:S(1)} parameter(1)
  ROOT %sum = f32[8,128]{1,0} add(%a, %b)
}

%take (t: f32[8,128], i: s32[]) -> f32[2,128] {
  %t = f32[8,128]{1,0} parameter(0)
  %i = s32[] parameter(1)
  %zero = s32[] constant(0)
  %same = f32[8,128]{1,0} bitcast(%t)
  %rows = f32[2,128]{1,0} dynamic-slice(%same, %i, %zero)
  ROOT %neg = f32[2,128]{1,0} negate(%rows)
}

%put (w: f32[8,128], u: f32[1,128], j: s32[]) -> f32[8,128] {
  %w = f32[8,128]{1,0} parameter(0)
  %u = f32[1,128]{1,0} parameter(1)
  %j = s32[] parameter(2)
  %zero = s32[] constant(0)
  ROOT %new = f32[8,128]{1,0} dynamic-update-slice(%w, %u, %j, %zero)
}

%pair (c: f32[8,128]) -> (f32[8,128], f32[4]) {
  %c = f32[8,128]{1,0} parameter(0)
  %four = f32[4]{0:S(1)} constant({...})
  %minus = f32[8,128]{1,0} negate(%c)
  ROOT %both = (f32[8,128]{1,0}, f32[4]{0:S(1)}) tuple(%minus, %four)
}
"""
X = "%x = f32[8,128]{1,0} parameter(0)"
Y = "%y = f32[8,128]{1,0:S(1)} parameter(1)"
N = "%n = s32[]{:S(6)} parameter(2)"


def count(*lines):
  main = "\n  ".join((X, Y, N, *lines))
  found = memory.count(
    hlo.parse(f"HloModule m\n{FUSED}\nENTRY %main () -> x {{\n  {main}\n}}\n")
  )
  found.pop(6, None)  # Scalars.
  return found


def moved(read, written, read_on_chip=0, written_on_chip=0):
  """Returns the expected bytes, of numbers of rows."""
  both = {
    hlo.HBM: (read, written),
    hlo.ON_CHIP: (read_on_chip, written_on_chip),
  }
  return {
    space: memory.Moved(*(int(ROW * rows) for rows in pair))
    for space, pair in both.items()
    if any(pair)
  }


@pytest.mark.parametrize(
  "lines, expected",
  [
    # Operands and results count in their own space.
    (["%f = f32[8,128]{1,0} fusion(%x, %y), calls=%add"], moved(8, 8, 8, 0)),
    (["%f = f32[8,128]{1,0:S(1)} negate(%x)"], moved(8, 0, 0, 8)),
    # Between memories: the start reads, the end writes.
    (
      [
        "%s = (f32[8,128]{1,0:S(1)}, f32[8,128]{1,0}, u32[]{:S(2)}) "
        "copy-start(%x)",
        "%d = f32[8,128]{1,0:S(1)} copy-done(%s)",
      ],
      moved(8, 0, 0, 8),
    ),
    (
      [
        "%s = (f32[8,128]{1,0}, f32[8,128]{1,0:S(1)}, u32[]{:S(2)}) "
        "copy-start(%y)",
        "%d = f32[8,128]{1,0} copy-done(%s)",
      ],
      moved(0, 8, 8, 0),
    ),
    # A slice counts what it takes.
    (
      [
        "%s = ((f32[8,128]{1,0}), f32[3,128]{1,0:S(1)}, s32[]{:S(2)}) "
        "slice-start(%x), slice={[0:3], [0:128]}",
        "%d = f32[3,128]{1,0:S(1)} slice-done(%s)",
      ],
      moved(3, 0, 0, 3),
    ),
    (["%s = f32[3,128]{1,0} slice(%x)"], moved(3, 3)),
    (["%s = f32[2,128]{1,0} fusion(%x, %n), calls=%take"], moved(2, 2)),
    # An update of a slice counts what it changes.
    (
      [
        "%u = f32[1,128]{1,0:S(1)} constant({...})",
        "%s = f32[8,128]{1,0} dynamic-update-slice(%x, %u, %n, %n)",
      ],
      moved(0, 1, 1, 0),
    ),
    (
      [
        "%u = f32[1,128]{1,0:S(1)} constant({...})",
        "%s = f32[8,128]{1,0} fusion(%x, %u, %n), calls=%put",
      ],
      moved(0, 1, 1, 0),
    ),
    # Each of several results.
    (
      ["%p = (f32[8,128]{1,0}, f32[4]{0:S(1)}) fusion(%x), calls=%pair"],
      moved(8, 8, 0, 4 / 128),
    ),
    # Views.
    (
      [
        "%b = f32[1024]{0} bitcast(%x)",
        '%c = f32[1024]{0} custom-call(%b), custom_call_target="ConcatBitcast"',
        "%t = (f32[1024]{0}) tuple(%c)",
        "%g = f32[1024]{0} get-tuple-element(%t), index=0",
      ],
      {},
    ),
    # A collective reads and writes; so does a transfer to other slices.
    (["%r = f32[8,128]{1,0} all-reduce(%x), replica_groups={}"], moved(8, 8)),
    (
      [
        "%k = token[] after-all()",
        "%s = (f32[8,128]{1,0}, u32[], token[]) send(%x, %k)",
        "%r = (f32[8,128]{1,0}, u32[], token[]) recv(%k)",
        "%e = token[] send-done(%s)",
        "%d = (f32[8,128]{1,0}, token[]) recv-done(%r)",
      ],
      moved(8, 8),
    ),
  ],
)
def test_count_of_known_programs(lines, expected):
  assert count(*lines) == expected


def test_count_reads_an_operand_of_a_fusion_once_and_whole_if_any_use_does():
  text = """HloModule m

%both (t: f32[8,128]) -> f32[8,128] {
  %t = f32[8,128]{1,0} parameter(0)
  %row = f32[1,128]{1,0} slice(%t)
  %wide = f32[8,128]{1,0} broadcast(%row)
  ROOT %s = f32[8,128]{1,0} add(%t, %wide)
}

ENTRY %main () -> x {
  %x = f32[8,128]{1,0} parameter(0)
  ROOT %f = f32[8,128]{1,0} fusion(%x), calls=%both
}
"""
  assert memory.count(hlo.parse(text)) == moved(8, 8)


def test_count_repeats_what_loops_move():
  """A loop over five rows of a table in HBM; the sum stays on the chip."""
  text = """HloModule m

%add_row (sum: f32[1,128], table: f32[5,128], i: s32[]) -> f32[1,128] {
  %sum = f32[1,128]{1,0:S(1)} parameter(0)
  %table = f32[5,128]{1,0} parameter(1)
  %i = s32[] parameter(2)
  %zero = s32[] constant(0)
  %row = f32[1,128]{1,0} dynamic-slice(%table, %i, %zero)
  ROOT %new = f32[1,128]{1,0:S(1)} add(%sum, %row)
}

%body (b: (f32[1,128], f32[5,128])) -> (f32[1,128], f32[5,128]) {
  %b = (f32[1,128]{1,0:S(1)}, f32[5,128]{1,0}) parameter(0)
  %s = f32[1,128]{1,0:S(1)} get-tuple-element(%b), index=0
  %t = f32[5,128]{1,0} get-tuple-element(%b), index=1
  %n = s32[]{:S(6)} constant(1)
  %f = f32[1,128]{1,0:S(1)} fusion(%s, %t, %n), calls=%add_row
  ROOT %r = (f32[1,128]{1,0:S(1)}, f32[5,128]{1,0}) tuple(%f, %t)
}

ENTRY %main () -> x {
  %x = f32[5,128]{1,0} parameter(0)
  %z = f32[1,128]{1,0:S(1)} custom-call(), custom_call_target="AllocateBuffer"
  %all = (f32[1,128]{1,0:S(1)}, f32[5,128]{1,0}) tuple(%z, %x)
  %loop = (f32[1,128]{1,0:S(1)}, f32[5,128]{1,0}) while(%all), LENGTH
  %g = f32[1,128]{1,0:S(1)} get-tuple-element(%loop), index=0
  ROOT %out = f32[1,128]{1,0} copy(%g)
}
"""
  length = 'body=%body, backend_config={"known_trip_count":{"n":"5"}}'
  found = memory.count(hlo.parse(text.replace("LENGTH", length)))
  found.pop(6)  # Scalars.
  assert found == moved(5, 1, 6, 5)


def test_sharded_inputs_leave_out_what_every_device_has():
  text = """HloModule m

ENTRY %main () -> x {
  %x = u8[8,128]{1,0} parameter(0), sharding={devices=[4,1]<=[4]}
  %w = f32[8,128]{1,0} parameter(1), sharding={replicated}
  ROOT %f = f32[8,128]{1,0} negate(%w)
}
"""
  assert memory.sharded_inputs(hlo.parse(text)) == 1024


@pytest.mark.slow
def test_count_of_programs_of_the_compiler_of_tpus():
  """A loop over rows of HBM, and a gather, with traffic known by hand."""
  pytest.importorskip("libtpu")
  topology.hide_tpu()
  mesh, _ = topology.make_mesh("v5e:2x2")
  whole = sharding.replicated(mesh)

  def hbm(function, *shapes):
    arguments = [
      jax.ShapeDtypeStruct(shape, dtype, sharding=whole)
      for shape, dtype in shapes
    ]
    found = measure.measure(jax.jit(function).lower(*arguments))
    assert found.least <= found.hbm
    return found.hbm / 2**20

  def add_up(x):
    zeros = jnp.zeros((1024, 1024))
    return jax.lax.scan(lambda c, y: (c + y, None), zeros, x)[0]

  large = (4096, 8192), jnp.float32  # 128 MiB; does not fit on the chip.
  assert hbm(lambda x: x + 1, large) == 256
  rows = (16,), jnp.int32
  assert hbm(lambda x, i: x[i] * 2, large, rows) == pytest.approx(1, rel=1e-2)
  # The sum stays on the chip until the end.
  five = (5, 1024, 1024), jnp.float32
  assert hbm(add_up, five) == pytest.approx(5 * 4 + 4, rel=1e-2)
