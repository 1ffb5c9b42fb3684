"""One run of a sweep, as pure functions: a network, its seed, its steps.

`sweep` compiles whole runs, of many seeds and options; `dispatch` compiles some
steps at a time, of many seeds.
"""

import functools
from typing import Any, Callable, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from mixup_jax import losses
from mixup_jax import transforms
from mixup_jax.data import problems
from mixup_jax.data.in_memory import order
from mixup_jax.train import rngs
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Array = jax.Array
PyTree = Any


class Network(NamedTuple):
  """A kind of network, and what it learns from.

  A batch has `inputs` and `targets` and, in training, `where`: booleans that
  are False for padding.

  Attributes:
    init: Takes a key and `[1, ...]` inputs; returns the first state.
    step: Takes the root key of the run, a state and a batch; returns the next
      state and the loss.
    measure: Takes the root key, a state and a batch of test examples; returns
      `[batch]` values by name.
    transform: Takes the options of the run; returns a transform, or None to
      leave the examples as they are.
    num_plain_steps: The number of steps after which the transform is switched
      on, by its option `enabled`.
    num_mixed_steps: The number of steps, counted from the first, after which it
      is switched off.
  """

  init: Callable[[Array, Array], PyTree]
  step: Callable[[Array, PyTree, steps.Batch], tuple[PyTree, Array]]
  measure: Callable[[Array, PyTree, steps.Batch], dict[str, Array]]
  transform: Callable[[PyTree], Callable[..., Any] | None] = lambda _: None
  num_plain_steps: int = 0
  num_mixed_steps: int = np.iinfo(np.int32).max


class Trial(NamedTuple):
  """A run, on the device: its seed, its split, and the set of all runs.

  The leaves of several runs are stacked where `BY_SEED` has an axis.

  Attributes:
    seed: `[]` uint32.
    split: The `data.splits.Split`.
    features: As in `data.problems.Problem`; so is the last.
    labels: `[rows]` int32 class ids.
  """

  seed: Any
  split: Any
  features: Any
  labels: Any

  def root(self) -> Array:
    """Returns the root key of all streams of the run."""
    return jax.random.key(self.seed)

  def batch(self, rows: Array) -> dict[str, Array]:
    """Fetches `[batch]` rows of the set, and scales them."""
    inputs = self.split.scaled(self.features[rows].astype(jnp.float32))
    return {"inputs": inputs, "targets": self.labels[rows]}


BY_SEED = Trial(0, 0, None, None)


class Plan(NamedTuple):
  """What the steps of a run train on.

  Attributes:
    step: `[..., steps]` int32, the numbers of the steps.
    rows: `[..., steps, batch]` int32, positions among the training rows.
    where: `[..., steps, batch]` booleans, False for padding.
  """

  step: Array
  rows: Array
  where: Array


def classifier(
  model: nn.Module, tx: optax.GradientTransformation, **options: Any
) -> Network:
  """Makes the network of a classifier; it measures the error in per cent.

  Args:
    model: The classifier.
    tx: The optimiser.
    **options: `transform`, and the steps with it, as in `Network`.

  Returns:
    The network.
  """

  def step(
    root: Array, state: states.TrainState, batch: steps.Batch
  ) -> tuple[states.TrainState, Array]:
    train_step = steps.make_train_step(
      model,
      tx,
      losses.cross_entropy,
      root_key=root,
      prepare=lambda key, batch: (batch["inputs"], batch["targets"]),
    )
    state, metrics = train_step(state, batch)
    return state, metrics["loss"]

  def measure(
    root: Array, state: states.TrainState, batch: steps.Batch
  ) -> dict[str, Array]:
    del root
    logits: Any = model.apply(state.variables(), batch["inputs"], train=False)
    return {"error": 100 * losses.zero_one(logits, batch["targets"])}

  init = functools.partial(states.create, model, tx)
  return Network(init, step, measure, **options)


def shapes(problem: problems.Problem, count: int) -> Trial:
  """Returns runs of a set by their shapes, `[count, ...]` for each seed."""

  def shape(x: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((count, *np.shape(x)[1:]), x.dtype)

  splits = jax.tree.map(shape, problem.splits)
  seeds = jax.ShapeDtypeStruct((count,), np.uint32)
  return Trial(seeds, splits, problem.features, problem.labels)


def draw_plan(trial: Trial, *, batch_size: int, epochs: int) -> Plan:
  """Draws the order of the data of a run.

  Args:
    trial: The run.
    batch_size: Rows in a batch; the last one of an epoch is padded.
    epochs: Passes over the training rows.

  Returns:
    The plan, with leaves `[epochs, steps, ...]`.
  """
  count = len(trial.split.train_rows)

  def epoch(number: Array) -> tuple[Array, Array]:
    key = rngs.stream(trial.root(), "order", number)
    return order.epoch_rows(key, count, batch_size=batch_size)

  rows, where = jax.vmap(epoch)(jnp.arange(epochs, dtype=jnp.int32))
  step = jnp.arange(epochs * rows.shape[1], dtype=jnp.int32)
  return Plan(step.reshape(rows.shape[:2]), rows, where)


def init(network: Network, trial: Trial) -> PyTree:
  """Returns the first state of a run."""
  inputs = trial.batch(trial.split.train_rows[:1])["inputs"]
  return network.init(rngs.stream(trial.root(), "weights"), inputs)


def advance(
  network: Network,
  state: PyTree,
  plan: Plan,
  options: PyTree,
  trial: Trial,
  *,
  unroll: int = 1,
) -> tuple[PyTree, Array]:
  """Trains for some steps.

  Args:
    network: The network.
    state: Its state.
    plan: The plan of these steps, with leaves `[steps, ...]`.
    options: What makes the transform of the run.
    trial: The run.
    unroll: How many steps are compiled side by side.

  Returns:
    The state after these steps, and the loss of each, `[steps]`.
  """
  # All draws at once: inside the scan they would cost as much as the step.
  draw = functools.partial(draw_batch, network, options=options, trial=trial)
  batches = jax.vmap(draw)(plan)
  one = functools.partial(network.step, trial.root())
  if len(plan.step) > 1:
    return jax.lax.scan(one, state, batches, unroll=unroll)
  # Even in a scan of one step a convolution is 30 times slower on a CPU.
  state, loss = one(state, jax.tree.map(lambda x: x[0], batches))
  return state, loss[None]


def draw_batch(
  network: Network, plan: Plan, options: PyTree, trial: Trial
) -> steps.Batch:
  """Returns the batch of one step, transformed; arguments as in `advance`."""
  batch = trial.batch(trial.split.train_rows[plan.rows])
  transform = network.transform(options)
  if transform is not None:
    inputs, targets = transforms.as_transform(transform)(
      rngs.stream(trial.root(), "mix", plan.step),
      batch["inputs"],
      batch["targets"],
      where=plan.where,
      enabled=(network.num_plain_steps <= plan.step)
      & (plan.step < network.num_mixed_steps),
    )
    batch = {"inputs": inputs, "targets": targets}
  return {**batch, "where": plan.where}


def measure(
  network: Network, state: PyTree, rows: Array, trial: Trial
) -> dict[str, Array]:
  """Measures `[batch]` positions among the test rows, `[batch]` by name."""
  batch = trial.batch(trial.split.test_rows[rows])
  return network.measure(trial.root(), state, batch)
