"""Predictions of a classifier on images of the host, batch by batch."""

from typing import Any, Callable, Iterator

import flax.linen as nn
import jax
import numpy as np

from mixup_jax import sharding
from mixup_jax.data import augment
from mixup_jax.train import backend
from mixup_jax.train.state import TrainState

Array = jax.Array
Batch = dict[str, Array]
Examples = tuple[np.ndarray, np.ndarray]


def make_logits(
  model: nn.Module, data: Any
) -> Callable[[TrainState, Array], Array]:
  """Makes the function from pixels to logits, not yet jitted.

  Args:
    model: The classifier.
    data: The set; of it `mean` and `std` are used.

  Returns:
    A function of a state and pixels, `[batch, height, width, channels]` float32
    from 0 to 255, that returns `[batch, classes]` logits.
  """

  def logits(state: TrainState, pixels: Array) -> Array:
    inputs = augment.standardize(pixels, mean=data.mean, std=data.std)
    found: Any = model.apply(state.variables(), inputs, train=False)
    return found

  return logits


def jit(function: Callable[..., Any], where: jax.NamedSharding) -> Any:
  """Compiles what is called for each batch; its results have the sharding."""
  return jax.jit(
    function,
    out_shardings=where,
    compiler_options=backend.compiler_options("run often"),
  )


def batches(
  examples: Examples, *, batch_size: int, mesh: sharding.Mesh
) -> Iterator[Batch]:
  """Yields images in order, in batches of one size; the last one is padded.

  Args:
    examples: `[images, height, width, channels]` uint8 and `[images]` labels.
    batch_size: The images of a batch, a multiple of the devices. A smaller set
      is one batch, padded to what the devices can share.
    mesh: The data mesh, over which batches are sharded.

  Yields:
    "pixels", `[batch, height, width, channels]` float32 from 0 to 255,
    "labels", `[batch]`, and "where", `[batch]` booleans that are False for
    padding.
  """
  images, labels = examples
  size = min(batch_size, -(-len(labels) // mesh.size) * mesh.size)
  for begin in range(0, len(labels), size):
    position = np.arange(begin, begin + size)
    rows = position % len(labels)
    batch = {
      "pixels": images[rows].astype(np.float32),
      "labels": labels[rows],
      "where": position < len(labels),
    }
    yield sharding.put(batch, sharding.sharded(mesh))


def make_predict(
  model: nn.Module, data: Any, mesh: sharding.Mesh
) -> Callable[..., np.ndarray]:
  """Compiles the prediction of all images of a set.

  Args:
    model: The classifier.
    data: As in `make_logits`.
    mesh: The data mesh.

  Returns:
    A function `(state, examples, *, batch_size)` that returns the logits of all
    images on the host, `[images, classes]`.
  """
  logits = jit(make_logits(model, data), sharding.replicated(mesh))

  def predict(
    state: TrainState, examples: Examples, *, batch_size: int
  ) -> np.ndarray:
    parts = [
      jax.device_get(logits(state, batch["pixels"]))
      for batch in batches(examples, batch_size=batch_size, mesh=mesh)
    ]
    return np.concatenate(parts)[: len(examples[1])]

  return predict
