"""Tests of the cost of a compiled step."""

import types

import jax
import jax.numpy as jnp
import pytest

from mixup_jax import sharding
from mixup_jax.cost_model import chips
from mixup_jax.cost_model import collectives
from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import measure
from mixup_jax.cost_model import memory
from mixup_jax.cost_model import topology

CHIP = chips.Chip(flops=100.0, bandwidth=10.0, link=1.0, network=1.0)


def cost(flops=0.0, hbm=0, least=0, found=()):
  moved = {hlo.HBM: memory.Moved(hbm, 0), hlo.ON_CHIP: memory.Moved(999, 0)}
  return measure.Cost(0, flops, moved, least, list(found), [])


@pytest.mark.parametrize(
  "made, least, bound",
  [
    (cost(flops=200.0, hbm=10, least=5), 2.0, "FLOP"),
    # What the compiler moves is no bound from below.
    (cost(flops=200.0, hbm=40, least=5), 2.0, "HBM"),
    (cost(flops=200.0, hbm=40, least=30), 3.0, "HBM"),
    (
      cost(
        hbm=10, found=[collectives.Collective("collective-permute", 7, None)]
      ),
      7.0,
      "collectives",
    ),
    (
      cost(found=[collectives.Collective("all-gather", 8, None, between=True)]),
      4.0,
      "the network between slices",
    ),
  ],
)
def test_times_are_bounded_by_the_slowest_resource(made, least, bound):
  times = made.times(chips.Pod(CHIP, (2, 2), slices=2))
  assert times.least == least and times.bound == bound


def test_least_bytes_counts_state_twice_and_the_rest_once():
  sizes = types.SimpleNamespace(
    alias_size_in_bytes=100,
    argument_size_in_bytes=10_000,  # With a data set in device memory.
    output_size_in_bytes=103,
    temp_size_in_bytes=1000,
  )
  assert measure.least_bytes(sizes, inputs=20) == 200 + 3 + 20 + 1000


@pytest.mark.parametrize(
  "words, needs",
  [
    (
      "Used 18.21G of 15.75G hbm. Exceeded hbm capacity by 2.46G.",
      "18.21G of the 15.75G",
    ),
    (
      "the total memory required for HLO temporaries (64.90G) exceeds "
      "available HBM (15.75G). HLO module: jit_step.",
      "64.90G of the 15.75G",
    ),
    ("no more is known.", "more than the memory"),
  ],
)
def test_measure_names_the_remedy_if_a_step_does_not_fit(words, needs):

  def fail_to_compile():
    raise jax.errors.JaxRuntimeError(f"RESOURCE_EXHAUSTED: E1000: {words}")

  lowered = types.SimpleNamespace(compile=fail_to_compile)
  with pytest.raises(
    ValueError, match=f"a step needs {needs} of a chip: lower config.batch_size"
  ):
    measure.measure(lowered)


def test_measure_raises_other_errors_of_the_compiler():

  def fail_to_compile():
    raise jax.errors.JaxRuntimeError("INTERNAL: no")

  with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
    measure.measure(types.SimpleNamespace(compile=fail_to_compile))


@pytest.mark.slow
def test_measure_compiles_with_the_compiler_of_tpus():
  pytest.importorskip("libtpu")
  topology.hide_tpu()
  with pytest.raises(ValueError, match="there is no topology 'v5e:7x9'"):
    topology.make_mesh("v5e:7x9")

  def compiled(name):
    mesh, pod = topology.make_mesh(name)
    rows = jax.ShapeDtypeStruct(
      (64, 1024 * 1024), jnp.float32, sharding=sharding.sharded(mesh)
    )
    found = measure.measure(jax.jit(lambda x: (2 * x).sum(0)).lower(rows))
    return mesh, pod, found, collectives.total(found.collectives)

  mesh, pod, found, sums = compiled("v5e:2x2")
  assert mesh.size == 4 and {d.platform for d in mesh.devices.flat} == {"tpu"}
  assert found.flops > 0 and found.memory > 0
  # 16 of 64 rows come in, their sum goes out.
  assert found.hbm == found.least == 17 * 4 * 2**20
  assert sums == {"all-reduce": (1, 4 * 2**20)}
  # On the cores for sparse arrays, beside the others.
  assert compiled("tpu7x:2x2x1")[-1] == {"all-reduce": (1, 4 * 2**20)}
  mesh, pod, found, sums = compiled("2xv5e:2x2")
  assert mesh.size == 8
  assert sums["all-reduce between slices"] == (1, 2**20)
  # 1 MiB of each chip, at 25 Gbit/s.
  assert found.times(pod).network == pytest.approx(2**20 * 8 / 25e9)
