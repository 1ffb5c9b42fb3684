"""Tests of counting collectives, in text and in compiled programs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax.cost_model import hlo

TRAFFIC = hlo.Traffic


@pytest.mark.parametrize(
  "line, kind, size",
  [
    ("%a = f32[64,3]{1,0} all-reduce(%x), to_apply=%add", "all-reduce", 768),
    (
      "%a = (bf16[8]{0:T(8)}, f32[2,2]{1,0}) all-reduce(%x, %y)",
      "all-reduce",
      32,
    ),
    ("%g = u8[1024,5]{1,0} all-gather(%x), dimensions={0}", "all-gather", 5120),
    # The type has the input, 1/4 of the result, and the result.
    (
      "%g = (s32[256]{0}, s32[1024]{0}) all-gather-start(%x)",
      "all-gather",
      4096,
    ),
    (
      "%p = (f32[9]{0}, f32[9]{0}, u32[]) collective-permute-start(%x)",
      "collective-permute",
      36,
    ),
    ("%t = (pred[4]{0}, pred[4]{0}) all-to-all(%x, %y)", "all-to-all", 8),
    ("%s = f32[] reduce-scatter(%x)", "reduce-scatter", 4),
  ],
)
def test_find_counts_a_collective_of_each_kind(line, kind, size):
  assert hlo.find(f"ENTRY main {{\n  {line}\n}}") == {kind: TRAFFIC(1, size)}


def test_find_ignores_other_operations():
  assert not hlo.find("""
    %d = f32[9]{0} all-reduce-done(%a)
    %x = f32[9]{0} add(%all-reduce.1, %y), metadata={op_name="all-reduce"}
  """)


def test_find_counts_the_collectives_of_a_compiled_program():
  mesh = sharding.make_mesh()
  rows = jax.ShapeDtypeStruct(
    (16, 3), jnp.float32, sharding=sharding.sharded(mesh)
  )
  program = jax.jit(
    lambda x: (x.sum(0), jnp.roll(x, 1, axis=0)),
    out_shardings=(sharding.replicated(mesh), sharding.sharded(mesh)),
  )
  found = hlo.find(program.lower(rows).compile().as_text())
  assert found["all-reduce"] == TRAFFIC(1, 12)
  assert found["collective-permute"].number >= 1
  assert set(found) == {"all-reduce", "collective-permute"}


def test_find_returns_nothing_for_one_device():
  text = jax.jit(lambda x: x.sum()).lower(np.ones(3)).compile().as_text()
  assert not hlo.find(text)
