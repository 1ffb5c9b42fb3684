"""Whole runs, many at a time: all seeds and all options in one program.

A run is one `lax.scan` over its epochs. Runs are vmapped over options, such as
alpha, and over seeds, and the seeds are spread over the devices.
"""

import functools
from typing import Any, Callable

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import sharding
from mixup_jax.data import problems
from mixup_jax.runtime import jobs
from mixup_jax.runtime import storage
from mixup_jax.train import side_by_side
from mixup_jax.train import trial as trials
from mixup_jax.train.trial import Network
from mixup_jax.train.trial import Plan
from mixup_jax.train.trial import Trial

Array = jax.Array
PyTree = Any
_ON_CPU = 2  # Seeds of a device at a time.
Curves = dict[str, Any]


def make_program(
  network: Network, mesh: sharding.Mesh, *, batch_size: int, epochs: int
) -> jax.stages.Wrapped:
  """Compiles whole runs for many options and, on each device, many seeds.

  What does not depend on the options, such as the split, the first weights, the
  order of the data and the partners, is computed once a seed.

  Args:
    network: The network.
    mesh: The devices.
    batch_size: As in `trial.draw_plan`.
    epochs: As in `trial.draw_plan`.

  Returns:
    A jitted function `(options, trials)` -> curves, for `[options, ...]` leaves
    of options: the mean loss of each epoch, `[seeds, options, epochs]`, and the
    means over the test rows of what the network measures, `[seeds, options]`.
  """

  def whole(options: PyTree, trial: Trial) -> Curves:
    def epoch(state: PyTree, plan: Plan) -> tuple[PyTree, Array]:
      # Unrolling spares a copy of the parameters: 15 % on a processor.
      state, loss = trials.advance(
        network, state, plan, options, trial, unroll=2
      )
      return state, loss.mean()

    plan = trials.draw_plan(trial, batch_size=batch_size, epochs=epochs)
    state, loss = jax.lax.scan(epoch, trials.init(network, trial), plan)
    rows = jnp.arange(len(trial.split.test_rows), dtype=jnp.int32)
    found = trials.measure(network, state, rows, trial)
    return {"loss": loss, **jax.tree.map(jnp.mean, found)}

  all_options = jax.vmap(whole, in_axes=(0, None))
  by_seed, shared = jax.P(sharding.AXIS), jax.P()
  return jax.jit(
    jax.shard_map(
      jax.vmap(all_options, in_axes=(None, trials.BY_SEED)),
      mesh=mesh,
      in_specs=(shared, Trial(by_seed, by_seed, shared, shared)),
      out_specs=by_seed,
      check_vma=False,
    )
  )


def lower(
  program: jax.stages.Wrapped,
  problem: problems.Problem,
  options: PyTree,
  mesh: sharding.Mesh,
  seeds_per_device: int,
) -> jax.stages.Lowered:
  """Lowers a program for some seeds a device; the rest is as in `train`."""
  count = mesh.size * seeds_per_device
  return program.lower(options, trials.shapes(problem, count))


def train(
  program: jax.stages.Wrapped,
  problem: problems.Problem,
  options: PyTree,
  *,
  mesh: sharding.Mesh,
  workdir: storage.Path | None = None,
  first_seed: int = 0,
  seeds_per_device: int = 0,
  on_group: Callable[[int], object] = lambda count: None,
) -> Curves:
  """Trains every seed with all options, some seeds a device at a time.

  Each group of seeds that has ended is kept, and read when it is there.

  Args:
    program: As `make_program` returns it.
    problem: The set, with one split for each seed.
    options: The options, `[options, ...]` leaves on the host.
    mesh: The devices that the program is for.
    workdir: Where the groups are kept; None keeps none.
    first_seed: The seed of the first split.
    seeds_per_device: Seeds that a device trains at a time; 0 is two on a
      processor, whose cache they fit, and what fits the memory elsewhere.
    on_group: Called with the number of seeds that have just ended.

  Returns:
    The curves of all seeds, as numpy arrays, and the "seconds" that all took.

  Raises:
    OSError: If a group that was kept is damaged.
    Stopped: If the process was asked to stop; the groups that ended are kept.
  """
  num_seeds = len(problem.splits.train_rows)
  size = mesh.size * (
    seeds_per_device
    or side_by_side.choose(
      -(-num_seeds // mesh.size),
      on_cpu=_ON_CPU,
      lower=lambda count: [lower(program, problem, options, mesh, count)],
    )
  )
  options, *data = jax.device_put(
    (options, problem.features, problem.labels), sharding.replicated(mesh)
  )

  def train_group(start: int) -> dict[str, list[Any]]:
    # The last group is filled up, so that one program serves all.
    group = np.arange(start, start + size) % num_seeds
    seeds = np.asarray(first_seed + group, np.uint32)
    own = jax.tree.map(lambda x: x[group], problem.splits)
    own = jax.device_put((seeds, own), sharding.sharded(mesh))
    curves = jax.device_get(program(options, Trial(*own, *data)))
    return {name: x[: num_seeds - start].tolist() for name, x in curves.items()}

  groups = []
  for start in range(0, num_seeds, size):
    count = min(size, num_seeds - start)
    # Other devices make other groups: both ends are in the name.
    name = f"seeds_{start}_to_{start + count - 1}.json"
    path = workdir / name if workdir else None
    groups.append(jobs.kept(path, functools.partial(train_group, start)))
    on_group(count)
  seconds = sum(group.pop("seconds") for group in groups)
  # A NaN that has been in a file is None.
  arrays = [
    {name: np.asarray(x, np.float32) for name, x in group.items()}
    for group in groups
  ]
  curves = jax.tree.map(lambda *x: np.concatenate(x), *arrays)
  return {**curves, "seconds": np.float64(seconds)}
