"""The compiled program of a classifier, for examples from anywhere.

A feed supplies batches, and `Inputs` defines how the program makes inputs of
them: of rows of a set in device memory, or of images that were streamed. All
else is one program. It serves all seeds, and computes the same on any number of
devices.
"""

from typing import Any, Callable, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.train import backend
from mixup_jax.train import rngs
from mixup_jax.train import state as states
from mixup_jax.train import step as steps
from mixup_jax.train.inputs import Inputs

Array = jax.Array
PyTree = Any
Stepped = tuple[states.TrainState, dict[str, Array]]


class Program(NamedTuple):
  """Compiled functions of global arrays, and the mesh that these lie on.

  Attributes:
    init: Makes the first state from a seed, `[]` uint32.
    step: Takes a seed, a state, which it consumes, and a batch of the feed, of
      one step or of several; returns the next state and metrics. With
      "neighbors" in the batch, partners stand beside their examples.
    evaluate: Takes a state and a batch; returns `metrics.Sums`.
    mesh: The data mesh.
  """

  init: jax.stages.Wrapped
  step: jax.stages.Wrapped
  evaluate: jax.stages.Wrapped
  mesh: sharding.Mesh


def make_program(
  model: nn.Module,
  tx: optax.GradientTransformation,
  inputs: Inputs,
  *,
  mesh: sharding.Mesh,
  transform: Callable[..., Any] | None = None,
  learning_rate: optax.Schedule | None = None,
  average_decay: float | None = None,
  num_plain_steps: int = 0,
  num_mixed_steps: int | None = None,
) -> Program:
  """Makes the program that trains and evaluates a model.

  Args:
    model: The classifier.
    tx: The optimiser.
    inputs: How inputs are made of a batch.
    mesh: The data mesh. Batches are sharded over it, all else is replicated.
    transform: As in `step.make_train_step`; so are the last three.
    learning_rate: The rate after a number of steps, for the metrics.
    average_decay: The decay of the average of the weights; None keeps none.
    num_plain_steps: The number of first steps that are not mixed.
    num_mixed_steps: The number of steps after which none is mixed.

  Returns:
    The program.

  Raises:
    ValueError: If the model cannot have such inputs.
  """

  def init(seed: Array) -> states.TrainState:
    key = rngs.stream(jax.random.key(seed), "weights")
    example = jnp.zeros(inputs.example.shape, inputs.example.dtype)
    keeps_average = average_decay is not None
    return states.create(model, tx, key, example, average=keeps_average)

  def step(
    seed: Array, state: states.TrainState, batch: steps.Batch
  ) -> Stepped:
    train_step = steps.make_train_step(
      model,
      tx,
      losses.cross_entropy,
      root_key=jax.random.key(seed),
      prepare=inputs.prepare,
      normalize=inputs.normalize,
      transform=_with_neighbors(transform)
      if "neighbors" in batch
      else transform,
      num_plain_steps=num_plain_steps,
      num_mixed_steps=num_mixed_steps,
      average_decay=average_decay,
    )
    return _several(_reporting(train_step, learning_rate), state, batch)

  def evaluate(state: states.TrainState, batch: steps.Batch) -> metrics.Sums:
    return _evaluate(steps.make_eval_step(model), inputs.fetch, state, batch)

  begin = _jit(init, mesh, "run once")
  begin.trace(jax.ShapeDtypeStruct((), jnp.uint32))  # Refuses wrong inputs now.
  return Program(
    init=begin,
    step=_jit(step, mesh, "run often", donate_argnums=1),
    evaluate=_jit(evaluate, mesh, "run often"),
    mesh=mesh,
  )


def _jit(
  function: Callable[..., Any], mesh: sharding.Mesh, use: str, **options: Any
) -> jax.stages.Wrapped:
  """Compiles a function whose results are on every device."""
  return jax.jit(
    function,
    out_shardings=sharding.replicated(mesh),
    compiler_options=backend.compiler_options(use),
    **options,
  )


def _with_neighbors(transform: Callable[..., Any] | None) -> Any:
  """Returns the transform of examples that have their partners behind them."""
  if transform is None:
    raise ValueError(
      "the batch has neighbors, which nothing is mixed with: "
      "give a transform, or no neighbors."
    )
  mix = transforms.as_transform(transform)

  def paired(
    key: Array,
    inputs: PyTree,
    targets: PyTree,
    *,
    where: Array | None = None,
    enabled: jax.typing.ArrayLike = True,
  ) -> tuple[PyTree, PyTree]:
    return transforms.paired(
      key, inputs, targets, transform=mix, where=where, enabled=enabled
    )

  return paired


def _reporting(
  train_step: Callable[..., Stepped], learning_rate: optax.Schedule | None
) -> Callable[..., Stepped]:
  """Adds the learning rate to the metrics of a step."""
  if learning_rate is None:
    return train_step

  def step(state: states.TrainState, batch: steps.Batch) -> Stepped:
    done = state.step
    state, values = train_step(state, batch)
    with jax.numpy_dtype_promotion("standard"):  # As optax needs it.
      return state, {**values, "learning_rate": learning_rate(done)}

  return step


def _several(
  step: Callable[..., Stepped], state: states.TrainState, batch: steps.Batch
) -> Stepped:
  """Does the steps of a batch: one, or as many as its rows have."""
  each, shared = _split(batch)
  if not each:
    return step(state, shared)
  return jax.lax.scan(lambda s, part: step(s, {**shared, **part}), state, each)


def _evaluate(
  eval_step: Callable[..., metrics.Sums],
  fetch: Callable[[steps.Batch], tuple[PyTree, Array]],
  state: states.TrainState,
  batch: steps.Batch,
) -> metrics.Sums:
  """Sums up a batch, part by part if its rows have several."""
  each, shared = _split(batch)

  def one(part: steps.Batch) -> metrics.Sums:
    whole = {**shared, **part}
    return eval_step(state, *fetch(whole), where=whole.get("where"))

  if not each:
    return one({})
  return jax.tree.map(lambda x: x.sum(0), jax.lax.map(one, each))


def _split(batch: steps.Batch) -> tuple[steps.Batch, steps.Batch]:
  """Returns what differs from step to step, if there are several, and the rest.

  Only rows of a set on the devices come for several steps at once.
  """
  if "rows" not in batch or batch["rows"].ndim == 1:
    return {}, batch
  names = ("rows", "where")
  each = {name: batch[name] for name in names if name in batch}
  return each, {name: x for name, x in batch.items() if name not in each}
