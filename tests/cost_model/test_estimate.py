"""Tests of compiling a step under each method."""

import types

import jax
import jax.numpy as jnp
import ml_collections
import pytest

from configs import mixing
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.cost_model import chips
from mixup_jax.cost_model import estimate
from mixup_jax.train import backend

POD = chips.Pod(chips.CHIPS["v5e"], (2, 4))
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


@pytest.fixture
def laptop(monkeypatch):
  """Replaces the TPU slice by the devices of the tests."""
  asked = []
  mesh = sharding.make_mesh()
  monkeypatch.setattr(
    estimate.topologies, "make_mesh", lambda topology: (mesh, POD)
  )

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
  found = estimate.estimate(config(), topology="v5e:2x4", lower=laptop.lower)
  assert laptop.asked == [("local", results.ERM, False)] + [
    (policy, MIXUP, False) for policy in sharding.POLICIES
  ]
  assert backend.on_cpu()  # As before.
  assert list(found.costs) == ["ERM"] + [
    f"mixup, {policy} partners" for policy in sharding.POLICIES
  ]
  kinds = {
    name: {one.kind for one in cost.collectives}
    for name, cost in found.costs.items()
    if cost
  }
  assert kinds["ERM"] == {"all-reduce"}
  assert "collective-permute" in kinds["mixup, roll partners"]
  assert found.costs["mixup, all_to_all partners"] is None
  error = capsys.readouterr().err
  assert "ERM: compiling for v5e:2x4 ..." in error
  assert "ERM: 0.00 GB per chip, bound by" in error and "at least 0.0" in error
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
  found = estimate.estimate(
    config(method="mix"), topology="v5e:2x4", lower=lower
  )
  assert found.costs["ERM"] is not None
  assert found.costs["mixup, local partners"] is None
  assert "local partners: left out, a step needs" in capsys.readouterr().err
  failing = results.ERM
  with pytest.raises(ValueError, match="a step needs more than the memory"):
    estimate.estimate(config(), topology="v5e:2x4", lower=lower)


@pytest.mark.parametrize("method, count", [("erm", 1), ("mix", 2)])
def test_estimate_compiles_the_methods_of_the_config(laptop, method, count):
  found = estimate.estimate(
    config(method=method, partners="roll"),
    topology="v5e:2x4",
    lower=laptop.lower,
  )
  assert len(found.costs) == count
  assert laptop.asked[-1][0] == "roll"


def test_estimate_names_methods_by_transform(laptop):
  found = estimate.estimate(
    config(method="mix", mix=mixing.get_mix(alpha=1.0, name="cutmix")),
    topology="v5e:2x4",
    lower=laptop.lower,
  )
  assert list(found.costs) == ["ERM", "cutmix, local partners"]
  assert laptop.asked[-1][1].key == "cutmix"


def test_estimate_says_that_flops_of_loops_count_once(laptop, capsys):

  def lower(config, method, mesh):
    def several(x):
      return jax.lax.scan(lambda c, _: (jnp.sin(c), None), x, length=7)[0]

    return jax.jit(several).lower(jax.ShapeDtypeStruct((4,), jnp.float32))

  estimate.estimate(config(method="erm"), topology="v5e:2x4", lower=lower)
  assert "FLOP of loops (lengths: 7) counted once" in capsys.readouterr().err
