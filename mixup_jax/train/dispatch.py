"""Runs of many seeds side by side, some steps a dispatch.

Unlike in `sweep`, the losses of each epoch are seen as it ends, and the states
of all seeds are returned.
"""

import functools
from typing import Any, Callable, NamedTuple

import jax
import numpy as np

from mixup_jax.data import problems
from mixup_jax.data.in_memory import order
from mixup_jax.train import backend
from mixup_jax.train import trial as trials

Array = jax.Array
PyTree = Any


class Program(NamedTuple):
  """The functions of `trial` for a network, vmapped over seeds and compiled.

  Attributes:
    init: `(trial)` -> the first state.
    advance: `(state, plan, options, trial)` -> the state, which it consumes,
      after the steps of the plan, and their losses.
    measure: `(state, rows, trial)` -> values of each row.
  """

  init: jax.stages.Wrapped
  advance: jax.stages.Wrapped
  measure: jax.stages.Wrapped


def make_program(network: trials.Network) -> Program:
  """Compiles a network for many seeds; options have leaves `[seeds, ...]`."""
  by_seed = trials.BY_SEED
  init, advance, measure = (
    functools.partial(function, network)
    for function in (trials.init, trials.advance, trials.measure)
  )
  return Program(
    jax.jit(
      jax.vmap(init, in_axes=(by_seed,)),
      compiler_options=backend.compiler_options("run once"),
    ),
    jax.jit(jax.vmap(advance, in_axes=(0, 0, 0, by_seed)), donate_argnums=0),
    jax.jit(jax.vmap(measure, in_axes=(0, None, by_seed))),
  )


def lower(
  program: Program,
  problem: problems.Problem,
  seeds: int,
  *,
  options: PyTree = (),
  batch_size: int,
  steps_per_dispatch: int,
  eval_batch_size: int,
) -> tuple[PyTree, list[jax.stages.Lowered]]:
  """Lowers what trains and what measures a number of seeds.

  Args:
    program: The program.
    problem: The set, with a split at least.
    seeds: The number.
    options: As in `train`, or their shapes.
    batch_size: As in `train`; so is the next.
    steps_per_dispatch: See there.
    eval_batch_size: Rows that are measured at a time.

  Returns:
    The shapes of the states, and the lowered programs.
  """
  shape: Any = jax.ShapeDtypeStruct
  trial = trials.shapes(problem, seeds)
  steps = -(-problem.splits.train_rows.shape[1] // batch_size)
  size = seeds, min(steps, steps_per_dispatch)
  plan = trials.Plan(
    shape(size, np.int32),
    shape((*size, batch_size), np.int32),
    shape((*size, batch_size), bool),
  )
  state = jax.eval_shape(program.init, trial)
  rows = shape((eval_batch_size,), np.int32)
  return state, [
    program.advance.lower(state, plan, options, trial),
    program.measure.lower(state, rows, trial),
  ]


def train(
  program: Program,
  problem: problems.Problem,
  seeds: np.ndarray,
  *,
  options: PyTree = (),
  epochs: int,
  batch_size: int,
  steps_per_dispatch: int,
  on_epoch: Callable[[], object] = lambda: None,
) -> tuple[PyTree, np.ndarray]:
  """Trains a network for each seed.

  Args:
    program: The program.
    problem: The set, with one split for each seed.
    seeds: `[seeds]`; each fixes weights, order of the data, and draws.
    options: What makes the transform of each seed, `[seeds, ...]` leaves on the
      device.
    epochs: Passes over the training rows.
    batch_size: Rows in a batch; the last one of an epoch is padded.
    steps_per_dispatch: How many steps one dispatch does, an epoch at most; the
      batches of all of them are in memory at once.
    on_epoch: Called at the end of each.

  Returns:
    The states, `[seeds, ...]` leaves on the device, and the mean loss of each
    epoch, `[seeds, epochs]`.

  Raises:
    FloatingPointError: If a loss is not finite.
  """
  trial = _put(problem, seeds)
  plan = jax.device_get(_draw_plans(batch_size, epochs)(trial))
  state = program.init(trial)
  curve = []
  for epoch in range(epochs):
    losses = []
    for first in range(0, plan.step.shape[2], steps_per_dispatch):
      part = np.s_[:, epoch, first : first + steps_per_dispatch]
      some = jax.device_put(jax.tree.map(lambda x: x[part], plan))
      state, loss = program.advance(state, some, options, trial)
      losses.append(loss)
    curve.append(np.concatenate(jax.device_get(losses), axis=1).mean(1))
    if not np.isfinite(curve[-1]).all():
      raise FloatingPointError(
        f"the loss of epoch {epoch + 1} is not finite: lower "
        "config.learning_rate."
      )
    on_epoch()
  return state, np.stack(curve, axis=1)


def measure(
  program: Program,
  problem: problems.Problem,
  seeds: np.ndarray,
  state: PyTree,
  *,
  batch_size: int,
) -> dict[str, np.ndarray]:
  """Measures the networks of all seeds on their test rows.

  Args:
    program: The program.
    problem: The set, with one split for each seed.
    seeds: `[seeds]`, those of the training.
    state: The states, as `train` returns them.
    batch_size: Rows that are measured at a time.

  Returns:
    Means over the test rows, `[seeds]` by name.
  """
  trial = _put(problem, seeds)
  count = problem.splits.test_rows.shape[1]
  rows, _ = jax.device_get(
    jax.jit(order.padded_rows, static_argnums=0, static_argnames="batch_size")(
      count, batch_size=batch_size
    )
  )
  found = [
    jax.device_get(program.measure(state, jax.device_put(part), trial))
    for part in rows
  ]
  return jax.tree.map(
    lambda *x: np.concatenate(x, axis=1)[:, :count].mean(1), *found
  )


def _put(problem: problems.Problem, seeds: np.ndarray) -> trials.Trial:
  """Puts the runs of all seeds on the device."""
  trial = trials.Trial(
    seeds.astype(np.uint32), problem.splits, problem.features, problem.labels
  )
  return jax.device_put(trial)


@functools.cache
def _draw_plans(batch_size: int, epochs: int) -> jax.stages.Wrapped:
  """Compiles what draws the plans of all seeds, `[seeds, epochs, ...]`."""
  draw = functools.partial(
    trials.draw_plan, batch_size=batch_size, epochs=epochs
  )
  return jax.jit(
    jax.vmap(draw, in_axes=(trials.BY_SEED,)),
    compiler_options=backend.compiler_options("run once"),
  )
