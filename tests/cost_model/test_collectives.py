"""Tests of counting and timing the collectives of a program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax.cost_model import chips
from mixup_jax.cost_model import collectives
from mixup_jax.cost_model import hlo

TRAFFIC = collectives.Traffic
POD = chips.Pod(
  chips.Chip(flops=1.0, bandwidth=1.0, link=2.0, network=10.0), (2, 4)
)  # Each chip has three links.


def entry(*lines):
  body = "\n  ".join(lines)
  return hlo.parse(f"HloModule m\n\nENTRY %main () -> x {{\n  {body}\n}}\n")


def total(program):
  return collectives.total(collectives.find(program))


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
  assert total(entry(line)) == {kind: TRAFFIC(1, size)}


def test_find_ignores_other_operations():
  assert not total(
    entry(
      "%d = f32[9]{0} all-reduce-done(%a)",
      '%x = f32[9]{0} add(%all-reduce.1, %y), metadata={op_name="all-reduce"}',
      "%r = (f32[9]{0}, u32[], token[]) recv(%k), channel_id=1",
    )
  )


@pytest.mark.parametrize(
  "groups, members",
  [
    ("{{0,1,2,3},{4,5,6,7}}", 4),
    ("[4,2]<=[8]", 2),
    ("[2,4]<=[4,2]T(1,0)", 4),
    ("mesh['a'=2,'b'=4,'c'=1] {'b','c'}", 4),
    ("{}", None),
  ],
)
def test_find_reads_the_members_of_a_group(groups, members):
  (one,) = collectives.find(
    entry(
      f"%a = f32[4]{{0}} all-reduce(%x), replica_groups={groups}, to_apply=%add"
    )
  )
  assert one.members == members


def test_find_looks_into_fusions_and_repeats_loops():
  program = hlo.parse(
    """HloModule m

%all-reduce-scatter (input: f32[8]) -> f32[2] {
  %input = f32[8]{0} parameter(0)
  %sum = f32[8]{0} all-reduce(%input), replica_groups={{0,1,2,3}}
  %zero = u32[] constant(0)
  ROOT %part = f32[2]{0} dynamic-slice(%sum, %zero), dynamic_slice_sizes={2}
}

%body (b: (f32[8])) -> (f32[8]) {
  %b = (f32[8]{0}) parameter(0)
  %x = f32[8]{0} get-tuple-element(%b), index=0
  %y = f32[2]{0} fusion(%x), kind=kCustom, calls=%all-reduce-scatter
  ROOT %t = (f32[8]{0}) tuple(%x)
}

ENTRY %main (x: f32[8]) -> f32[8] {
  %x = f32[8]{0} parameter(0)
  %all = (f32[8]{0}) tuple(%x)
  %loop = (f32[8]{0}) while(%all), body=%body, LENGTH
  ROOT %out = f32[8]{0} get-tuple-element(%loop), index=0
}
""".replace("LENGTH", 'backend_config={"known_trip_count":{"n":"5"}}')
  )
  assert collectives.find(program) == [
    collectives.Collective("reduce-scatter", 8, 4, times=5)
  ]


@pytest.mark.parametrize(
  "opcode, called", [("call-start", "to_apply"), ("async-start", "calls")]
)
def test_find_looks_into_computations_that_start_beside_others(opcode, called):
  program = hlo.parse(
    """HloModule m

%beside (p: f32[8]) -> f32[8] {
  %p = f32[8]{0} parameter(0)
  ROOT %sum = f32[8]{0} all-reduce(%p), replica_groups={}, to_apply=%add
}

%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %c = f32[] add(%a, %b)
}

ENTRY %main (x: f32[8]) -> f32[8] {
  %x = f32[8]{0} parameter(0)
  %start = ((f32[8]{0}), f32[8]{0}) OPCODE(%x), CALLED=%beside
  ROOT %done = f32[8]{0} call-done(%start)
}
""".replace("OPCODE", opcode).replace("CALLED", called)
  )
  assert total(program) == {"all-reduce": TRAFFIC(1, 32)}


@pytest.mark.parametrize(
  "transfer, kind",
  [
    ("ALL_REDUCE", "all-reduce"),
    ("ALL_GATHER", "all-gather"),
    ("ONE_TO_ONE", "collective-permute"),
  ],
)
def test_find_counts_what_slices_receive(transfer, kind):
  found = collectives.find(
    entry(
      "%r = (f32[9]{0}, u32[], token[]) recv(%k), is_host_transfer=true, "
      "frontend_attributes={"
      f'_xla_megascale_transfer_type="{transfer}"}}'
    )
  )
  assert found == [collectives.Collective(kind, 36, None, between=True)]
  assert found[0].label == f"{kind} between slices"


@pytest.mark.parametrize(
  "kind, members, seconds",
  [
    # Over three links of 2 bytes a second.
    ("all-reduce", None, 2 * 48 * 7 / 8 / 6),
    ("all-reduce", 4, 2 * 48 * 3 / 4 / 6),
    ("all-gather", None, 48 * 7 / 8 / 6),
    ("reduce-scatter", None, 48 * 7 / 6),
    ("collective-permute", None, 48 / 2),
    # Chips are 1/2 + 1 links apart.
    ("all-to-all", None, 48 * 1.5 / 6),
  ],
)
def test_seconds_are_those_of_rings(kind, members, seconds):
  one = collectives.Collective(kind, 48, members, times=2)
  assert collectives.seconds([one], POD) == (pytest.approx(2 * seconds), 0)


def test_seconds_are_none_between_the_devices_of_one_chip():
  one = collectives.Collective("all-reduce", 48, None)
  pod = chips.Pod(chips.CHIPS["tpu7x"], (1, 1, 1))
  assert pod.size == 2 and collectives.seconds([one], pod) == (0, 0)


@pytest.mark.parametrize(
  "kind, seconds",
  [("all-reduce", 6.4), ("all-gather", 3.2), ("collective-permute", 4.8)],
)
def test_seconds_between_slices_are_those_of_the_network(kind, seconds):
  one = collectives.Collective(kind, 48, None, between=True)
  found = collectives.seconds([one], POD._replace(slices=3))
  assert found == (0, pytest.approx(seconds))


def test_find_counts_the_collectives_of_a_compiled_program():
  mesh = sharding.make_mesh()
  rows = jax.ShapeDtypeStruct(
    (16, 3), jnp.float32, sharding=sharding.sharded(mesh)
  )
  program = jax.jit(
    lambda x: (x.sum(0), jnp.roll(x, 1, axis=0)),
    out_shardings=(sharding.replicated(mesh), sharding.sharded(mesh)),
  )
  found = total(hlo.parse(program.lower(rows).compile().as_text()))
  assert found["all-reduce"] == TRAFFIC(1, 12)
  assert found["collective-permute"].number >= 1
  assert set(found) == {"all-reduce", "collective-permute"}


def test_find_returns_nothing_for_one_device():
  text = jax.jit(lambda x: x.sum()).lower(np.ones(3)).compile().as_text()
  assert not total(hlo.parse(text))
