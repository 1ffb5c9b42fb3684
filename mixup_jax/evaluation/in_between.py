"""Measures a network between pairs of images, x = lam x_i + (1 - lam) x_j.

The images are normalised and not augmented. A miss is a prediction that is
neither of the two labels. The gradient is that of the cross-entropy of the
mixed label, by the normalised image; its norm is taken for each x, and then
averaged. The paper states neither the label nor the scaling.
"""

from typing import Any, Callable, Iterable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import augment
from mixup_jax.evaluation import predict
from mixup_jax.train.state import TrainState

Array = jax.Array
Measure = Callable[..., Array]

METRICS = ("misses (%)", "norm of the input gradient")


def make_measure(model: nn.Module, data: Any, mesh: sharding.Mesh) -> Measure:
  """Compiles the measurement of a batch of pairs.

  Args:
    model: The classifier.
    data: The set; of it `mean` and `std` are used.
    mesh: The data mesh, over which pairs are sharded.

  Returns:
    A jitted function `(state, images, labels, pairs, lam)` -> the sums of
    `METRICS` over the batch, `[2]`, where images and labels are the whole set,
    and pairs the rows "first", "second" and "where" of `[batch]`.
  """

  def measure(
    state: TrainState,
    pixels: Array,
    labels: Array,
    pairs: dict[str, Array],
    lam: Array,
  ) -> Array:
    rows = pairs["first"], pairs["second"]
    first, second = (
      augment.normalize(pixels[row], mean=data.mean, std=data.std)
      for row in rows
    )
    own, partners = (labels[row] for row in rows)
    targets = transforms.MixedLabels(own, partners, lam)

    def loss(inputs: Array) -> tuple[Array, Array]:
      logits: Any = model.apply(state.variables(), inputs, train=False)
      # Of the sum, the gradient by an image is that of its own loss.
      return losses.cross_entropy(logits, targets).sum(), logits

    inputs = transforms.interpolate(first, second, lam)
    gradient, logits = jax.grad(loss, has_aux=True)(inputs)
    norm = jnp.sqrt(jnp.sum(jnp.square(gradient), axis=(1, 2, 3)))
    predicted = jnp.argmax(logits, -1).astype(labels.dtype)
    miss = (predicted != own) & (predicted != partners)
    values = jnp.stack([100 * miss.astype(jnp.float32), norm])
    return values.sum(1, where=pairs["where"][None])

  return predict.jit(measure, sharding.replicated(mesh))


def draw_pairs(
  seed: int, num_images: int, *, count: int, batch_size: int
) -> list[dict[str, np.ndarray]]:
  """Draws random pairs; no image is twice on the same side.

  Args:
    seed: The seed of the pairs.
    num_images: The size of the set.
    count: The number of pairs.
    batch_size: Pairs in a batch; the last one is padded.

  Returns:
    Batches, as `make_measure` takes them.
  """
  draws = np.random.default_rng(seed)
  size = -(-count // batch_size) * batch_size
  first, second = (
    np.resize(draws.permutation(num_images)[:count].astype(np.int32), size)
    for _ in range(2)
  )
  pairs = {"first": first, "second": second, "where": np.arange(size) < count}
  return [
    {name: rows[start : start + batch_size] for name, rows in pairs.items()}
    for start in range(0, size, batch_size)
  ]


def curves(
  measure: Measure,
  state: TrainState,
  examples: tuple[np.ndarray, np.ndarray],
  batches: list[dict[str, np.ndarray]],
  mesh: sharding.Mesh,
  lams: Iterable[float],
) -> np.ndarray:
  """Measures a network for each lam.

  Args:
    measure: As `make_measure` returns it.
    state: The network.
    examples: Images and labels, the whole set.
    batches: As `draw_pairs` returns them.
    mesh: The data mesh.
    lams: The weights of the first image of each pair.

  Returns:
    The means of `METRICS` over the pairs, `[2, lams]`.
  """
  count = sum(batch["where"].sum() for batch in batches)
  on_device = sharding.put(examples, sharding.replicated(mesh))
  spread = sharding.put(batches, sharding.sharded(mesh))
  values = []
  for lam in lams:
    weight = sharding.put(np.float32(lam), sharding.replicated(mesh))
    # No scan: the gradient of a convolution inside it is slow on a CPU.
    sums = [measure(state, *on_device, batch, weight) for batch in spread]
    values.append(np.sum(jax.device_get(sums), axis=0) / count)
  return np.stack(values, axis=1)
