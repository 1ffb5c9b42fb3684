"""Tests of cost estimates on TPU slices."""

import sys
import types

import jax
import jax.numpy as jnp
import ml_collections
import pytest

from configs import mixing
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import tpu
from mixup_jax.train import backend

CHIP = tpu.Chip(flops=100.0, bandwidth=10.0)
MIXUP = results.Method("mixup", "mixup, alpha 0.2", 0.2)


def config(**changes):
  return ml_collections.ConfigDict(
    {
      "dataset": "digits",
      "model": {"name": "mlp"},
      "batch_size": 16,
      "method": "all",
      "mix": mixing.get_mix(alpha=0.2),
      "partners": "local",
      **changes,
    }
  )


def cost(memory=1e9, flops=200.0, moved=10.0, **traffic):
  return tpu.Cost(memory, flops, moved, traffic)


@pytest.fixture
def laptop(monkeypatch):
  """Replaces the TPU slice by the devices of the tests."""
  asked = []
  mesh = sharding.make_mesh()
  monkeypatch.setattr(tpu, "make_mesh", lambda topology: (mesh, CHIP))

  def lower(config, method, mesh):
    asked.append((config.partners, method, backend.on_cpu()))
    mixes = method != results.ERM
    if mixes and config.partners == "all_to_all":
      raise ValueError("16 examples do not divide")
    rows = jax.ShapeDtypeStruct(
      (config.batch_size, 2), jnp.float32, sharding=sharding.sharded(mesh)
    )
    shift = 1 if mixes and config.partners == "roll" else 0
    return jax.jit(lambda x: jnp.roll(x, shift, axis=0).sum()).lower(rows)

  return types.SimpleNamespace(asked=asked, lower=lower)


def test_estimate_compiles_every_policy_for_a_tpu(laptop, capsys):
  found = tpu.estimate(config(), topology="v5e:2x4", lower=laptop.lower)
  assert laptop.asked == [("local", results.ERM, False)] + [
    (policy, MIXUP, False) for policy in sharding.POLICIES
  ]
  assert backend.on_cpu()  # As before.
  assert list(found.costs) == ["ERM"] + [
    f"mixup, {policy} partners" for policy in sharding.POLICIES
  ]
  assert set(found.costs["ERM"].traffic) == {"all-reduce"}
  assert "collective-permute" in found.costs["mixup, roll partners"].traffic
  assert found.costs["mixup, all_to_all partners"] is None
  error = capsys.readouterr().err
  assert "ERM: compiling for v5e:2x4 ..." in error
  assert "all_to_all partners: left out, 16 examples do not divide" in error


def test_estimate_leaves_out_partners_that_do_not_fit_but_not_erm(
  laptop, capsys
):

  def fail_to_compile():
    raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: no")

  def lower(config, method, mesh):
    lowered = laptop.lower(config, method, mesh)
    if method == failing:
      lowered = types.SimpleNamespace(compile=fail_to_compile)
    return lowered

  failing = MIXUP
  found = tpu.estimate(config(method="mix"), topology="v5e:2x4", lower=lower)
  assert found.costs["ERM"] is not None
  assert found.costs["mixup, local partners"] is None
  assert "local partners: left out, a step needs" in capsys.readouterr().err
  failing = results.ERM
  with pytest.raises(ValueError, match="a step needs more than the memory"):
    tpu.estimate(config(), topology="v5e:2x4", lower=lower)


@pytest.mark.parametrize("method, count", [("erm", 1), ("mix", 2)])
def test_estimate_compiles_the_methods_of_the_config(laptop, method, count):
  found = tpu.estimate(
    config(method=method, partners="roll"),
    topology="v5e:2x4",
    lower=laptop.lower,
  )
  assert len(found.costs) == count
  assert laptop.asked[-1][0] == "roll"


def test_estimate_names_methods_by_transform(laptop):
  found = tpu.estimate(
    config(method="mix", mix=mixing.get_mix(alpha=1.0, name="cutmix")),
    topology="v5e:2x4",
    lower=laptop.lower,
  )
  assert list(found.costs) == ["ERM", "cutmix, local partners"]
  assert laptop.asked[-1][1].key == "cutmix"


def test_seconds_are_those_of_the_slower_resource():
  assert cost(flops=200.0, moved=10.0).seconds(CHIP) == 2
  assert cost(flops=200.0, moved=30.0).seconds(CHIP) == 3


def test_result_compares_rows_with_those_of_erm():
  found = tpu.Estimate(
    "v5e:2x4",
    CHIP,
    {
      "ERM": cost(),
      "mixup, roll partners": cost(
        moved=10.1, **{"all-reduce": hlo.Traffic(3, 2_000_000)}
      ),
      "mixup, all_to_all partners": None,
    },
    3.0,
  )
  result = tpu.result(config(accumulation=2), found, None)
  rows = {(row["method"], row["metric"]): row for row in result["rows"]}
  assert {row["setting"] for row in result["rows"]} == {
    "digits, mlp, batch 16 in 2 steps, v5e:2x4"
  }

  def roll(metric):
    return rows["mixup, roll partners", metric]["value"]

  assert roll("memory a chip (GB)") == 1 and result["wall_seconds"] == 3
  assert roll("moved, more than ERM (%)") == 1
  assert roll("GFLOP, more than ERM (%)") == 0
  assert roll("at best (ms)") == 2000
  assert (roll("all-reduces"), roll("all-reduces (MB)")) == (3, 2)
  ((_, (header, *lines)),) = results.blocks(result)
  assert header[1:] == list(found.costs)
  assert {line[0]: line[2] for line in lines}["all-reduces"] == "3"
  assert lines[0][3] == "not run"


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
    tpu.measure(lowered)


def test_measure_raises_other_errors_of_the_compiler():

  def fail_to_compile():
    raise jax.errors.JaxRuntimeError("INTERNAL: no")

  with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
    tpu.measure(types.SimpleNamespace(compile=fail_to_compile))


def test_make_mesh_refuses_unknown_topologies(monkeypatch):
  for name in ("v5e", "v9:2x2", "16x16", ""):
    with pytest.raises(
      ValueError, match=f"unknown topology '{name}': give a kind of v4, v5e"
    ):
      tpu.make_mesh(name)
  monkeypatch.setitem(sys.modules, "libtpu", None)
  with pytest.raises(ValueError, match=r"pip install -e '.\[rehearse\]'"):
    tpu.make_mesh("v5e:2x2")


@pytest.mark.slow
def test_measure_compiles_with_the_compiler_of_tpus():
  pytest.importorskip("libtpu")
  tpu.hide_tpu()
  with pytest.raises(ValueError, match="there is no topology 'v5e:banana'"):
    tpu.make_mesh("v5e:banana")
  mesh, _ = tpu.make_mesh("v5e:2x2")
  assert mesh.size == 4 and {d.platform for d in mesh.devices.flat} == {"tpu"}
  rows = jax.ShapeDtypeStruct(
    (8, 128), jnp.bfloat16, sharding=sharding.sharded(mesh)
  )
  found = tpu.measure(jax.jit(lambda x: (x @ x.T).sum()).lower(rows))
  assert found.flops > 0 and found.moved > 0 and found.memory > 0
  assert found.traffic
