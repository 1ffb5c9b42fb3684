"""The cost of a compiled step, and its time at the published rates."""

import re
from typing import Any, NamedTuple

import jax

from mixup_jax.cost_model import chips
from mixup_jax.cost_model import collectives
from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import loops
from mixup_jax.cost_model import memory
from mixup_jax.train import side_by_side


class Times(NamedTuple):
  """Seconds of a step at the published rates, by what they are spent on.

  Attributes:
    flops: Floating-point operations over the peak rate.
    hbm: Bytes that the compiled step moves over the bandwidth of HBM.
    least_hbm: The same for the bytes that it cannot do without.
    links: Collectives on the interconnect of a slice.
    network: Collectives between slices.
  """

  flops: float
  hbm: float
  least_hbm: float
  links: float
  network: float

  @property
  def least(self) -> float:
    """The shortest possible time: all at once, and HBM at its least."""
    return max(self.flops, self.least_hbm, self.links, self.network)

  @property
  def bound(self) -> str:
    """What takes longest as it is compiled."""
    names = {
      "FLOP": self.flops,
      "HBM": self.hbm,
      "collectives": self.links,
      "the network between slices": self.network,
    }
    return max(names, key=lambda name: names[name])


class Cost(NamedTuple):
  """The cost of a step for one device.

  Attributes:
    memory: Peak bytes of HBM: arguments, results and temporaries.
    flops: Floating-point operations. The compiler counts the body of a loop
      once.
    moved: Bytes read and written by memory space.
    least: Bytes from and to HBM that the step cannot do without.
    collectives: The collectives.
    loops: The length of each loop; None if it is not known.
  """

  memory: int
  flops: float
  moved: dict[int, memory.Moved]
  least: int
  collectives: list[collectives.Collective]
  loops: list[int | None]

  @property
  def hbm(self) -> int:
    """Bytes from and to HBM."""
    return sum(self.moved.get(hlo.HBM, ()))

  def times(self, pod: chips.Pod) -> Times:
    """Returns the seconds that each resource takes."""
    return Times(
      self.flops / pod.chip.flops,
      self.hbm / pod.chip.bandwidth,
      self.least / pod.chip.bandwidth,
      *collectives.seconds(self.collectives, pod),
    )


def measure(lowered: jax.stages.Lowered) -> Cost:
  """Compiles a step, and returns its cost.

  Args:
    lowered: The step.

  Returns:
    The cost.

  Raises:
    ValueError: If the step does not fit into the memory of a chip.
  """
  compiled = _compile(lowered)
  sizes: Any = compiled.memory_analysis()
  costs: Any = compiled.cost_analysis()
  program = hlo.parse(compiled.as_text() or "")
  return Cost(
    memory=side_by_side.allotted(sizes),
    flops=costs["flops"],
    moved=memory.count(program),
    least=least_bytes(sizes, memory.sharded_inputs(program)),
    collectives=collectives.find(program),
    loops=loops.lengths(program),
  )


def least_bytes(sizes: Any, inputs: int) -> int:
  """Returns the bytes from and to HBM that a step cannot do without.

  They are state + state + results + inputs + temporaries: parameters and
  optimizer state, whose memory the results take over, read once and written
  once; other results written, and the examples read, once; and what lies in
  HBM beside them where it is fullest, gradients and saved activations,
  written once. Of a data set in device memory, the rows that a step takes do
  not count. Another schedule could keep fewer activations, by computing them
  twice; this is the least for the one that was compiled.

  Args:
    sizes: As `jax.stages.Compiled.memory_analysis` returns them.
    inputs: Bytes of the examples, of one device.

  Returns:
    The bytes of one device.
  """
  state = sizes.alias_size_in_bytes
  results = sizes.output_size_in_bytes - state
  return 2 * state + results + inputs + sizes.temp_size_in_bytes


def _compile(lowered: jax.stages.Lowered) -> jax.stages.Compiled:
  try:
    return lowered.compile()
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
