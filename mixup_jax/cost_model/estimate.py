"""Ahead-of-time cost estimate of a training step on a TPU slice.

The TPU compiler runs on any machine (`pip install -e '.[rehearse]'`). What it
makes of a step says how much memory a chip needs, what it computes and moves,
and what the chips send each other. The published rates of the chip turn that
into times; none is measured.
"""

import sys
import time
from typing import Any, Callable, NamedTuple

import jax
import numpy as np

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.cost_model import chips
from mixup_jax.cost_model import measure
from mixup_jax.cost_model import topology as topologies
from mixup_jax.recipes import mixing
from mixup_jax.train import backend
from mixup_jax.train import run

# Takes a config, a method and a mesh; returns the step, lowered.
Lower = Callable[[Any, results.Method, sharding.Mesh], jax.stages.Lowered]


class Estimate(NamedTuple):
  """The costs of a step under each method.

  Attributes:
    topology: The name of the TPU slices.
    pod: What they are.
    costs: The cost by method. None if the partners do not suit the batch, or
      the step does not fit into memory where that of ERM does.
    seconds: The time to compile all methods.
  """

  topology: str
  pod: chips.Pod
  costs: dict[str, measure.Cost | None]
  seconds: float


def estimate(config: Any, *, topology: str, lower: Lower) -> Estimate:
  """Compiles a step of ERM and of mixing with partners, and reports the costs.

  Args:
    config: The config. Its method "erm" compiles ERM alone, "mix" its transform
      with its own `partners` too; "all" tries every policy.
    topology: As in `topology.parse`.
    lower: Lowers a step of the section.

  Returns:
    The costs.

  Raises:
    ValueError: If there is no such topology, or a step of ERM does not fit into
      memory.
  """
  mesh, pod = topologies.make_mesh(topology)
  begin = time.perf_counter()
  costs: dict[str, measure.Cost | None] = {}
  policies = {"erm": (), "mix": (config.partners,)}
  mixed = mixing.method(config.mix)
  for policy in (None, *policies.get(config.method, sharding.POLICIES)):
    name = "ERM" if policy is None else f"{mixed.key}, {policy} partners"
    own = config.copy_and_resolve_references()
    own.partners = policy or config.partners
    print(f"{name}: compiling for {topology} ...", file=sys.stderr, flush=True)
    start = time.perf_counter()
    with backend.assumed("tpu"):
      try:
        cost = measure.measure(
          lower(own, mixed if policy else results.ERM, mesh)
        )
      except ValueError as error:
        if policy is None:
          raise
        print(f"{name}: left out, {error}", file=sys.stderr)
        costs[name] = None
        continue
      costs[name] = cost
    took = time.perf_counter() - start
    print(f"{name}: {_describe(cost, pod)}, {took:.0f} s", file=sys.stderr)
  return Estimate(topology, pod, costs, time.perf_counter() - begin)


def lower_step(program: run.Program, batch: Any) -> jax.stages.Lowered:
  """Lowers the step of a program.

  Args:
    program: The program, on a mesh whose devices need not exist.
    batch: The shapes of a batch, with shardings.

  Returns:
    The step, lowered.
  """
  seed = jax.ShapeDtypeStruct(
    (), np.uint32, sharding=sharding.replicated(program.mesh)
  )
  return program.step.lower(seed, run.state_shapes(program), batch)


def _describe(cost: measure.Cost, pod: chips.Pod) -> str:
  """Returns the cost of a step in one line."""
  times = cost.times(pod)
  words = [
    f"{cost.memory / 1e9:.2f} GB per chip",
    f"bound by {times.bound}",
    f"at least {1e3 * times.least:.2f} ms per step",
  ]
  if any(length != 1 for length in cost.loops):
    lengths = ", ".join(str(x or "unknown") for x in cost.loops)
    words.append(f"FLOP of loops (lengths: {lengths}) counted once")
  return ", ".join(words)
