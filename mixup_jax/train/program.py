"""The compiled program that trains a classifier on images in device memory.

The batch is a vector of rows: gathering, augmenting and mixing happen inside
the compiled step. One program serves all seeds.
"""

import functools
from typing import Any, Callable, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import augment
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import order as resident
from mixup_jax.train import backend
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Array = jax.Array
Metrics = dict[str, Any]
Preparation = tuple[steps.Prepare, Callable[[Array], Array]]


class Program(NamedTuple):
  """Compiled functions of global arrays, and the mesh that these lie on.

  Attributes:
    init: Makes the first state from a seed, `[]` uint32.
    order: Takes a seed, an epoch, and the numbers of images and of those in a
      batch; as `resident.epoch_rows`.
    step: Takes a seed, a state, which it consumes, and a batch of the whole set
      "images" and "labels", and "rows" and perhaps "where" of `[batch]`, or of
      `[steps, batch]` for several steps. With "neighbors", `[images, k]` int32,
      the partner of an example is one of these, augmented independently.
      Returns the next state and metrics.
    evaluate: Takes a state, images, labels, and the number of images at a time,
      and returns "error" and "ece" in per cent and "nll" in nats. Padding of
      the last batch does not count.
    mesh: The data mesh.
  """

  init: jax.stages.Wrapped
  order: jax.stages.Wrapped
  step: jax.stages.Wrapped
  evaluate: jax.stages.Wrapped
  mesh: sharding.Mesh


def make_program(
  model: nn.Module,
  tx: optax.GradientTransformation,
  data: images.ImageSet,
  *,
  mesh: sharding.Mesh,
  transform: steps.Transform | None = None,
  mix_hidden: steps.MixHidden | None = None,
  num_mixed_steps: int | None = None,
  learning_rate: optax.Schedule | None = None,
  average_decay: float | None = None,
  num_plain_steps: int = 0,
  preparation: Preparation | None = None,
) -> Program:
  """Makes the program that trains a model on a set.

  Args:
    model: The classifier.
    tx: The optimiser.
    data: The set; only its shapes and constants are used here.
    mesh: The data mesh. Batches are sharded over it, all else is replicated.
    transform: As in `steps.make_train_step`; so are the next two.
    mix_hidden: Draws what the model calls at each depth.
    num_mixed_steps: The number of steps after which mixing is switched off.
    learning_rate: The schedule inside `tx`, for the metrics.
    average_decay: As in `steps.make_train_step`; None keeps no average.
    num_plain_steps: As in `steps.make_train_step`.
    preparation: Instead of the augmentation and normalisation of images: what
      makes inputs and targets of a batch for training, as `steps.Prepare`, and
      what makes inputs of examples as they are in memory for evaluation.

  Returns:
    The program. What it computes does not depend on the number of devices.
  """
  prepare, normalize = preparation or _preparation(data)
  evaluate_batch = steps.make_eval_step(model)

  def init(seed: Array) -> states.TrainState:
    inputs = normalize(jnp.zeros_like(data.train_images[:1]))
    return states.create(
      model, tx, _streams(seed)[0], inputs, average=average_decay is not None
    )

  def order(
    seed: Array, epoch: Array, num_examples: int, batch_size: int
  ) -> tuple[Array, Array]:
    key = jax.random.fold_in(_streams(seed)[1], epoch)
    return resident.epoch_rows(key, num_examples, batch_size=batch_size)

  def step(
    seed: Array, state: states.TrainState, batch: steps.Batch
  ) -> tuple[states.TrainState, Metrics]:
    mix = _pairwise(transform) if "neighbors" in batch else transform
    train_step = steps.make_train_step(
      model,
      tx,
      losses.cross_entropy,
      root_key=_streams(seed)[2],
      prepare=prepare,
      transform=mix,
      mix_hidden=mix_hidden,
      num_plain_steps=num_plain_steps,
      num_mixed_steps=num_mixed_steps,
      average_decay=average_decay,
    )

    def one(
      state: states.TrainState, rows: steps.Batch
    ) -> tuple[states.TrainState, Metrics]:
      done = state.step
      state, values = train_step(state, {**batch, **rows})
      if learning_rate is not None:
        with jax.numpy_dtype_promotion("standard"):  # As optax needs it.
          values["learning_rate"] = learning_rate(done)
      return state, values

    rows = {name: batch[name] for name in ("rows", "where") if name in batch}
    several = rows["rows"].ndim == 2
    return jax.lax.scan(one, state, rows) if several else one(state, rows)

  def evaluate(
    state: states.TrainState, pixels: Array, labels: Array, batch_size: int
  ) -> Metrics:
    batches = jax.lax.with_sharding_constraint(
      resident.padded_rows(len(labels), batch_size=batch_size),
      jax.NamedSharding(mesh, jax.P(None, sharding.AXIS)),
    )

    def one(batch: tuple[Array, Array]) -> metrics.Sums:
      rows, where = batch
      return evaluate_batch(
        state, normalize(pixels[rows]), labels[rows], where=where
      )

    sums = jax.lax.map(one, batches)
    return jax.tree.map(lambda x: x.sum(0), sums).means()

  def jit(function: Callable[..., Any], use: str, **options: Any) -> Any:
    return jax.jit(
      function,
      out_shardings=sharding.replicated(mesh),
      compiler_options=backend.compiler_options(use),
      **options,
    )

  return Program(
    init=jit(init, "run once"),
    order=jax.jit(order, static_argnums=(2, 3)),
    step=jit(step, "run often", donate_argnums=1),
    evaluate=jit(evaluate, "run often", static_argnums=3),
    mesh=mesh,
  )


def _pairwise(transform: steps.Transform | None) -> steps.Transform:
  """Returns the transform of examples that have their partners behind them."""
  if transform is None:
    raise ValueError(
      "the batch has neighbors, which nothing is mixed with: "
      "give a transform, or no neighbors."
    )
  return functools.partial(transforms.paired, transform=transform)


def _preparation(data: images.ImageSet) -> Preparation:
  """Returns the functions that make inputs for training and for evaluation."""

  def normalize(pixels: Array) -> Array:
    return augment.normalize(pixels, mean=data.mean, std=data.std)

  def prepare(key: Array, batch: steps.Batch) -> tuple[Array, Array]:
    rows = batch["rows"]
    if "neighbors" in batch:
      key, draw_key = jax.random.split(key)
      partner = transforms.draw_neighbors(draw_key, batch["neighbors"][rows])
      # Example and partner in turns: so a pair stays on its device.
      rows = jnp.stack([rows, partner], axis=1).reshape(-1)
    crop_key, flip_key = jax.random.split(key)
    pixels = augment.random_crop(
      crop_key, batch["images"][rows], padding=data.pad
    )
    if data.flip:
      pixels = augment.random_flip(flip_key, pixels)
    return normalize(pixels), batch["labels"][rows]

  return prepare, normalize


def _streams(seed: Array) -> Array:
  """Returns the keys of the weights, of the order of the data, of the steps."""
  return jax.random.split(jax.random.key(seed), 3)
