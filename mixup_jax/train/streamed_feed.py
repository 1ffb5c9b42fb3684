"""Training on images that stream from the disks of one or more hosts.

The sibling of `program` and `training`, which are for sets in device memory.
Images are cropped on the hosts, and go to the devices as bytes; there they are
normalised and mixed.
"""

import functools
import pathlib
from typing import Any, Callable, Iterable, Iterator, Mapping, NamedTuple

import flax.linen as nn
import jax
import numpy as np
import optax

from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax import sharding
from mixup_jax.data import augment
from mixup_jax.train import backend
from mixup_jax.train import run as runs
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Array = jax.Array
Batches = Iterable[Mapping[str, np.ndarray]]


class Program(NamedTuple):
  """Compiled functions of global arrays, and the mesh that these lie on.

  Attributes:
    init: Makes the first state from a seed, `[]` uint32.
    step: Takes a seed, a state, which it consumes, and a batch of "images",
      `[batch, size, size, 3]` uint8, and "labels"; returns the next state and
      metrics.
    evaluate: Takes a state and a batch that may have "where" too, and returns
      `metrics.Sums`.
    mesh: The data mesh.
  """

  init: jax.stages.Wrapped
  step: jax.stages.Wrapped
  evaluate: jax.stages.Wrapped
  mesh: sharding.Mesh


def make_program(
  model: nn.Module,
  tx: optax.GradientTransformation,
  *,
  image_size: int,
  mean: tuple[float, ...],
  std: tuple[float, ...],
  mesh: sharding.Mesh,
  transform: Callable[..., Any] | None = None,
  learning_rate: optax.Schedule | None = None,
  accumulation: int = 1,
) -> Program:
  """Makes the program that trains a model on streamed images.

  Args:
    model: The classifier.
    tx: The optimiser.
    image_size: Height and width of the images.
    mean: For each channel what normalisation subtracts, of pixels in [0, 1].
    std: For each channel what it divides by.
    mesh: The data mesh. Batches are sharded over it, all else is replicated.
    transform: As in `steps.make_train_step`, with the option `normalize` of
      `transforms.mixup`: it is given images as they come, in bytes.
    learning_rate: The schedule inside `tx`, for the metrics.
    accumulation: How many steps share an update of the weights, which is that
      of their mean gradient. BatchNorm and mixing see the batch of a step.

  Returns:
    The program. What it computes does not depend on the number of devices.

  Raises:
    ValueError: If `accumulation` is less than 1.
  """
  if accumulation < 1:
    raise ValueError(
      f"accumulation must be at least 1, got {accumulation}: "
      "1 updates the weights in each step."
    )
  if accumulation > 1:
    several = optax.MultiSteps(tx, every_k_schedule=accumulation)
    tx = several.gradient_transformation()
  normalize = functools.partial(augment.normalize, mean=mean, std=std)
  mix = transform and functools.partial(transform, normalize=normalize)
  evaluate_batch = steps.make_eval_step(model)

  def init(seed: Array) -> states.TrainState:
    inputs = np.zeros((1, image_size, image_size, len(mean)), np.float32)
    return states.create(model, tx, _streams(seed)[0], inputs)

  def prepare(key: Array, batch: steps.Batch) -> tuple[Array, Array]:
    del key  # Crops and mirror images were drawn on the host.
    images = batch["images"]
    return normalize(images) if mix is None else images, batch["labels"]

  def step(
    seed: Array, state: states.TrainState, batch: steps.Batch
  ) -> tuple[states.TrainState, dict[str, Any]]:
    train_step = steps.make_train_step(
      model,
      tx,
      losses.cross_entropy,
      root_key=_streams(seed)[1],
      prepare=prepare,
      transform=mix,
    )
    done = state.step // accumulation
    state, values = train_step(state, batch)
    if learning_rate is not None:
      with jax.numpy_dtype_promotion("standard"):  # As optax needs it.
        values["learning_rate"] = learning_rate(done)
    return state, values

  def evaluate(state: states.TrainState, batch: steps.Batch) -> metrics.Sums:
    return evaluate_batch(
      state,
      normalize(batch["images"]),
      batch["labels"],
      where=batch.get("where"),
    )

  def jit(function: Callable[..., Any], use: str, **options: Any) -> Any:
    return jax.jit(
      function,
      out_shardings=sharding.replicated(mesh),
      compiler_options=backend.compiler_options(use),
      **options,
    )

  return Program(
    init=jit(init, "run once"),
    step=jit(step, "run often", donate_argnums=1),
    evaluate=jit(evaluate, "run often"),
    mesh=mesh,
  )


def train(
  program: Program,
  *,
  seed: int,
  epochs: int,
  steps_per_epoch: int,
  train_batches: Callable[[int], Batches],
  eval_batches: Callable[[], Batches],
  workdir: pathlib.Path,
  config: Mapping[str, Any],
) -> runs.Lines:
  """Trains one network, or goes on where it was stopped.

  Args:
    program: The program.
    seed: It fixes weights and mixing.
    epochs: Passes over the training images.
    steps_per_epoch: The steps of an epoch.
    train_batches: Takes the number of steps done, and gives this process's rows
      of each batch from there on.
    eval_batches: Gives its rows of the batches that an epoch is measured on,
      with a mask "where" if the last one is padded.
    workdir: Where checkpoints and metrics of this network are.
    config: What made it, written beside them.

  Returns:
    A line for each epoch, as `runs.run`, with "validation/error" and the other
    means of `metrics.Sums`.

  Raises:
    FloatingPointError: If the loss is not finite.
    Stopped: If the process was told to stop; the state is saved.
  """

  def put(batch: Mapping[str, np.ndarray]) -> Any:
    return sharding.put_rows(batch, program.mesh)

  def batches(first_step: int) -> Iterator[steps.Batch]:
    return map(put, train_batches(first_step))

  def measure(state: states.TrainState, is_last: bool) -> dict[str, float]:
    del is_last
    # One after another: no more than a batch is on the devices.
    sums = [
      jax.device_get(program.evaluate(state, put(batch)))
      for batch in eval_batches()
    ]
    total = jax.tree.map(lambda *x: np.sum(x, axis=0), *sums)
    return {f"validation/{k}": float(v) for k, v in total.means().items()}

  return runs.run(
    program,
    seed=seed,
    epochs=epochs,
    steps_per_epoch=steps_per_epoch,
    batches=batches,
    measure=measure,
    workdir=workdir,
    config=config,
  )


def _streams(seed: Array) -> Array:
  """Returns the keys of the weights and of the steps."""
  return jax.random.split(jax.random.key(seed), 2)
