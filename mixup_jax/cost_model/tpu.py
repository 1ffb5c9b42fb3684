"""Ahead-of-time cost estimate of a training step on a TPU slice.

The TPU compiler runs on any machine (`pip install -e '.[rehearse]'`). It
reports how much memory a chip needs, what it computes and moves, and what the
chips send each other. The peak rates of the chip give a lower bound on the
time.
"""

import os
import re
import sys
import time
from typing import Any, Callable, NamedTuple

import jax
import numpy as np

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.cost_model import hlo
from mixup_jax.recipes import mixing
from mixup_jax.train import backend
from mixup_jax.train import run

# Takes a config, a method and a mesh; returns the step, lowered.
Lower = Callable[[Any, results.Method, sharding.Mesh], jax.stages.Lowered]

_NO_TPU = {  # Else libtpu looks for a TPU, and prints what it does not find.
  "TPU_SKIP_MDS_QUERY": "1",
  "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",  # Else libtpu takes a lock.
  "TPU_WORKER_HOSTNAMES": "localhost",
  "TPU_ACCELERATOR_TYPE": "v5litepod-4",
  "TPU_MIN_LOG_LEVEL": "3",
  "TPU_STDERR_LOG_LEVEL": "3",
  "TF_CPP_MIN_LOG_LEVEL": "3",
}

_COUNTS = [f"{kind}s" for kind in hlo.KINDS]


class Chip(NamedTuple):
  """A kind of TPU chip, with the numbers of the documentation of Cloud TPU.

  Attributes:
    flops: Peak bfloat16 operations per second.
    bandwidth: Bytes per second from and to its memory.
  """

  flops: float
  bandwidth: float


CHIPS = {
  "v4": Chip(275e12, 1228e9),
  "v5e": Chip(197e12, 819e9),
  "v5p": Chip(459e12, 2765e9),
  "v6e": Chip(918e12, 1640e9),
}


class Cost(NamedTuple):
  """The cost of a step for one chip.

  Attributes:
    memory: Peak bytes: arguments, results and temporaries.
    flops: Floating-point operations.
    moved: Bytes read from memory and written to it.
    traffic: The collectives, by kind.
  """

  memory: float
  flops: float
  moved: float
  traffic: dict[str, hlo.Traffic]

  def seconds(self, chip: Chip) -> float:
    """Returns the shortest possible time in seconds, without collectives."""
    return max(self.flops / chip.flops, self.moved / chip.bandwidth)


class Estimate(NamedTuple):
  """The costs of a step under each method.

  Attributes:
    topology: The TPU slice.
    chip: Its kind of chip.
    costs: The cost by method. None if the partners do not suit the batch, or
      the step does not fit into memory where that of ERM does.
    seconds: The time to compile all methods.
  """

  topology: str
  chip: Chip
  costs: dict[str, Cost | None]
  seconds: float


def hide_tpu() -> None:
  """Keeps jax from looking for a TPU; call it before jax does."""
  os.environ.update(_NO_TPU)
  jax.config.update("jax_platforms", "cpu")


def estimate(config: Any, *, topology: str, lower: Lower) -> Estimate:
  """Compiles a step of ERM and of mixing with partners, and reports the costs.

  Args:
    config: The config. Its method "erm" compiles ERM alone, "mix" its transform
      with its own `partners` too; "all" tries every policy.
    topology: As in `make_mesh`.
    lower: Lowers a step of the section.

  Returns:
    The costs.

  Raises:
    ValueError: If there is no such topology, or a step of ERM does not fit into
      memory.
  """
  mesh, chip = make_mesh(topology)
  begin = time.perf_counter()
  costs: dict[str, Cost | None] = {}
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
        cost = measure(lower(own, mixed if policy else results.ERM, mesh))
      except ValueError as error:
        if policy is None:
          raise
        print(f"{name}: left out, {error}", file=sys.stderr)
        costs[name] = None
        continue
      costs[name] = cost
    print(
      f"{name}: {cost.memory / 1e9:.2f} GB per chip, "
      f"{1e3 * cost.seconds(chip):.2f} ms per step at best, "
      f"compiled in {time.perf_counter() - start:.0f} s",
      file=sys.stderr,
    )
  return Estimate(topology, chip, costs, time.perf_counter() - begin)


def make_mesh(topology: str) -> tuple[sharding.Mesh, Chip]:
  """Returns the mesh of a TPU slice that need not exist, and its kind of chip.

  Args:
    topology: Kind and shape, such as "v5e:16x16".

  Returns:
    The data mesh over its chips, and the chip.

  Raises:
    ValueError: If there is no such topology, or the compiler is not installed.
  """
  kind, colon, _ = topology.partition(":")
  if kind not in CHIPS or not colon:
    raise ValueError(
      f"unknown topology {topology!r}: give a kind of "
      f"{', '.join(CHIPS)} and a shape, such as v5e:16x16 or "
      "v5p:4x4x8."
    )
  try:
    import libtpu  # noqa: F401  Only the extra installs it.
  except ImportError:
    raise ValueError(
      "a cost estimate needs the TPU compiler: pip install -e '.[rehearse]'"
    ) from None
  from jax.experimental import topologies

  try:
    pod = topologies.get_topology_desc(platform="tpu", topology_name=topology)
  except Exception as error:  # Of many types, with a message of the compiler.
    reason = str(error).strip().splitlines()[0]
    raise ValueError(
      f"there is no topology {topology!r} ({reason}): give the "
      "shape of a slice, such as v5e:16x16."
    ) from error
  return sharding.make_mesh(pod.devices), CHIPS[kind]


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


def measure(lowered: jax.stages.Lowered) -> Cost:
  """Compiles a step, and returns its cost.

  Args:
    lowered: The step.

  Returns:
    The cost.

  Raises:
    ValueError: If the step does not fit into the memory of a chip.
  """
  try:
    compiled = lowered.compile()
  except jax.errors.JaxRuntimeError as error:
    if "RESOURCE_EXHAUSTED" not in str(error):
      raise
    # The text depends on the version, but its first two sizes do not.
    sizes = re.findall(r"\b[\d.]+[KMGT]\b", str(error))
    needs = (
      f"{sizes[0]} of the {sizes[1]}"
      if len(sizes) > 1
      else "more than the memory"
    )
    raise ValueError(
      f"a step needs {needs} of a chip: lower config.batch_size, raise "
      "config.accumulation, or take a larger slice."
    ) from error
  found: Any = compiled.memory_analysis()
  memory = (
    found.argument_size_in_bytes
    + found.output_size_in_bytes
    + found.temp_size_in_bytes
    - found.alias_size_in_bytes
  )
  costs: Any = compiled.cost_analysis()
  return Cost(
    memory,
    costs["flops"],
    costs["bytes accessed"],
    hlo.find(compiled.as_text() or ""),
  )


def result(config: Any, found: Estimate, recorder: Any) -> Any:
  """Returns the costs as the rows of a result.

  Args:
    config: The config.
    found: The costs, as `estimate` returns them.
    recorder: Unused.

  Returns:
    The result.
  """
  del recorder
  batch = f"batch {config.batch_size}"
  if config.get("accumulation", 1) > 1:
    batch += f" in {config.accumulation} steps"
  setting = f"{config.dataset}, {config.model.name}, {batch}, {found.topology}"
  plain = found.costs["ERM"]
  assert plain is not None  # `estimate` raises if it does not compile.
  rows = []
  for name, cost in found.costs.items():
    mixed = results.Method(config.mix.name, name)
    method = results.ERM if name == results.ERM.label else mixed
    for metric, value in _numbers(cost or plain, plain, found.chip).items():
      row = results.summarize(
        [] if cost is None else [value],
        setting=setting,
        method=method,
        metric=metric,
        epochs=0,
      )
      rows.append(row)
      if metric in _COUNTS:
        row["decimals"] = 0
  metrics = list(dict.fromkeys(row["metric"] for row in rows))
  return {
    "rows": rows,
    "layout": {"lines": "metric", "columns": "method", "metrics": metrics},
    "wall_seconds": round(found.seconds, 2),
  }


def _numbers(cost: Cost, plain: Cost, chip: Chip) -> dict[str, float]:
  """Returns the numbers of a method by metric, some relative to ERM."""

  def more(own: float, other: float) -> float:
    return 100 * (own / other - 1)

  numbers = {
    "memory a chip (GB)": cost.memory / 1e9,
    "GFLOP a chip": cost.flops / 1e9,
    "GFLOP, more than ERM (%)": more(cost.flops, plain.flops),
    "moved a chip (GB)": cost.moved / 1e9,
    "moved, more than ERM (%)": more(cost.moved, plain.moved),
    "at best (ms)": 1e3 * cost.seconds(chip),
  }
  for kind, (number, size) in cost.traffic.items():
    numbers |= {f"{kind}s": float(number), f"{kind}s (MB)": size / 1e6}
  return numbers
