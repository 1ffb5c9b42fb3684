"""Trains a network for each of several seeds at once, and measures them."""

import functools
from typing import Any, Callable, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax.data import splits
from mixup_jax.data.in_memory import order
from mixup_jax.train import backend
from mixup_jax.train import sweep

Array = jax.Array
PyTree = Any
# Inputs, labels, and `where`, False for padding.
Batch = dict[str, Array]


class Program(NamedTuple):
  """What is done for all seeds at once, each function jitted and vmapped.

  `given` is a tree that holds something for each seed, such as another network.

  Attributes:
    begin: `(seed, split, features)` -> the state of a network.
    advance: `(state, plan, seed, given, split, features, labels)` -> the state
      after the steps of the plan, and their losses.
    measure: `(state, plan, seed, given, split, features, labels)` -> what is
      measured of each test row of the plan.
  """

  begin: Callable[..., Any]
  advance: Callable[..., Any]
  measure: Callable[..., Any]


def make_program(
  begin: Callable[[Array, Array], PyTree],
  step: Callable[[Array, PyTree, PyTree, Batch], tuple[PyTree, Array]],
  measure: Callable[[Array, PyTree, Batch], dict[str, Array]],
) -> Program:
  """Compiles a kind of network for all seeds.

  Args:
    begin: `(key, inputs)` -> the state of a network.
    step: `(key, given, state, batch)` -> the next state, and the loss. The key
      is that of the run, the same at every step.
    measure: `(key, state, batch)` -> `[batch]` values by name.

  Returns:
    The program.
  """

  def examples(
    rows: Array,
    where: Array,
    split: splits.Split,
    features: Array,
    labels: Array,
  ) -> Batch:
    inputs = split.scaled(features[rows].astype(jnp.float32))
    return {"inputs": inputs, "labels": labels[rows], "where": where}

  def start(seed: Array, split: splits.Split, features: Array) -> PyTree:
    batch = features[split.train_rows[:2]].astype(jnp.float32)
    return begin(_streams(seed)[0], split.scaled(batch))

  def advance(
    state: PyTree,
    plan: tuple[Array, Array],
    seed: Array,
    given: PyTree,
    split: splits.Split,
    *data: Array,
  ) -> tuple[PyTree, Array]:
    key = _streams(seed)[1]

    def one(state: PyTree, plan: tuple[Array, Array]) -> tuple[PyTree, Array]:
      rows, where = plan
      return step(
        key, given, state, examples(split.train_rows[rows], where, split, *data)
      )

    if len(plan[0]) > 1:
      return jax.lax.scan(one, state, plan)
    # Even in a scan of one step a convolution is 30 times slower on a CPU.
    state, loss = one(state, jax.tree.map(lambda x: x[0], plan))
    return state, loss[None]

  def look(
    state: PyTree,
    plan: tuple[Array, Array],
    seed: Array,
    split: splits.Split,
    *data: Array,
  ) -> dict[str, Array]:
    rows, where = plan
    return measure(
      _streams(seed)[2],
      state,
      examples(split.test_rows[rows], where, split, *data),
    )

  shared = None, None
  return Program(
    jax.jit(
      jax.vmap(start, in_axes=(0, 0, None)),
      compiler_options=backend.compiler_options("run once"),
    ),
    jax.jit(
      jax.vmap(advance, in_axes=(0, 0, 0, 0, 0, *shared)), donate_argnums=0
    ),
    jax.jit(jax.vmap(look, in_axes=(0, None, 0, 0, *shared))),
  )


def train(
  program: Program,
  problem: sweep.Problem,
  seeds: np.ndarray,
  *,
  given: PyTree = (),
  epochs: int,
  batch_size: int,
  steps_per_dispatch: int,
  on_epoch: Callable[[], object] = lambda: None,
) -> tuple[PyTree, np.ndarray]:
  """Trains a network for each seed.

  Args:
    program: As `make_program` returns it.
    problem: The set, with one split for each seed.
    seeds: `[seeds]`; each fixes weights, order of the data, and its steps.
    given: What the program takes, `[seeds, ...]` leaves on the device.
    epochs: Passes over the training rows.
    batch_size: Rows in a batch; the last one of an epoch is padded.
    steps_per_dispatch: How many steps one program does, an epoch at most.
    on_epoch: Called at the end of each.

  Returns:
    The states, `[seeds, ...]` leaves on the device, and the mean loss of each
    epoch, `[seeds, epochs]`.

  Raises:
    FloatingPointError: If a loss is not finite.
  """
  seed, split, *data = jax.device_put(
    (seeds.astype(np.uint32), problem.splits, problem.features, problem.labels)
  )
  rows, where = jax.device_get(
    _plans(problem.splits.train_rows.shape[1], batch_size, epochs)(seed)
  )
  state = program.begin(seed, split, data[0])
  curve = []
  for epoch in range(epochs):
    losses = []
    for first in range(0, rows.shape[2], steps_per_dispatch):
      part = np.s_[:, epoch, first : first + steps_per_dispatch]
      plan = jax.device_put((rows[part], where[part]))
      state, loss = program.advance(state, plan, seed, given, split, *data)
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
  problem: sweep.Problem,
  seeds: np.ndarray,
  state: PyTree,
  *,
  batch_size: int,
) -> dict[str, np.ndarray]:
  """Returns the means over the test rows of each seed, `[seeds]` by name."""
  seed, split, *data = jax.device_put(
    (seeds.astype(np.uint32), problem.splits, problem.features, problem.labels)
  )
  count = problem.splits.test_rows.shape[1]
  rows, where = jax.device_get(
    jax.jit(order.padded_rows, static_argnums=0, static_argnames="batch_size")(
      count, batch_size=batch_size
    )
  )
  found = [
    jax.device_get(
      program.measure(state, jax.device_put(plan), seed, split, *data)
    )
    for plan in zip(rows, where)
  ]
  return jax.tree.map(
    lambda *x: np.concatenate(x, axis=1)[:, :count].mean(1), *found
  )


def _streams(seed: Array) -> Array:
  """Returns the keys of weights, steps, measurements and order of the data."""
  return jax.random.split(jax.random.key(seed), 4)


@functools.cache
def _plans(count: int, batch_size: int, epochs: int) -> Callable[..., Any]:
  """Compiles what draws the order of the data, `[seeds, epochs, ...]`."""

  def draw(seed: Array) -> tuple[Array, Array]:
    return order.shuffled_rows(
      _streams(seed)[3], count, batch_size=batch_size, epochs=epochs
    )

  return jax.jit(
    jax.vmap(draw), compiler_options=backend.compiler_options("run once")
  )
