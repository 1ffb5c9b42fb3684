"""Decision surfaces in the plane: what ERM and mixup learn from a toy set."""

import functools
from typing import Any, Callable, Mapping, Sequence

import flax.linen as nn
import jax
import numpy as np
import optax
import tqdm

from mixup_jax import losses
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.train import rngs
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Array = jax.Array
Program = Callable[..., tuple[Array, Array]]
Cloud = tuple[np.ndarray, np.ndarray]  # `[points, 2]` and their class ids.


def make_program(
  model: nn.Module,
  tx: optax.GradientTransformation,
  *,
  num_steps: int,
  limit: float,
  pixels: int,
) -> Program:
  """Compiles training on points of two classes, and prediction on the plane.

  Every batch is the whole set.

  Args:
    model: A classifier of `[batch, 2]` inputs.
    tx: The optimiser.
    num_steps: The number of steps.
    limit: The plane extends from -limit to limit in x and in y,
    pixels: and has so many points each way.

  Returns:
    A jitted function `(alphas, seed, points, labels)` that trains one network
    for each alpha of mixup, `[alphas]`; 0 is ERM. It returns the probability of
    class 1, `[alphas, pixels, pixels]` with lines of rising y, and the last
    training loss, `[alphas]`.
  """
  axis = np.linspace(-limit, limit, pixels)
  plane = np.stack(np.meshgrid(axis, axis), axis=-1).astype(np.float32)

  def run(
    alpha: Array, seed: Array, points: Array, labels: Array
  ) -> tuple[Array, Array]:
    root = jax.random.key(seed)
    step = steps.make_train_step(
      model,
      tx,
      losses.cross_entropy,
      root_key=root,
      prepare=lambda key, batch: (points, labels),
      transform=functools.partial(transforms.mixup, alpha=alpha),
    )
    state, metrics = jax.lax.scan(
      lambda state, _: step(state, {}),
      states.create(model, tx, rngs.stream(root, "weights"), points),
      length=num_steps,
    )
    logits: Any = model.apply(state.variables(), plane)
    return jax.nn.softmax(logits)[..., 1], metrics["loss"][-1]

  return jax.jit(jax.vmap(run, in_axes=(0, None, None, None)))


def learn(
  program: Program, alphas: Sequence[float], clouds: Sequence[Cloud]
) -> tuple[np.ndarray, np.ndarray]:
  """Trains a network for each alpha on every cloud.

  Args:
    program: As `make_program` returns it.
    alphas: The concentrations; 0 is ERM.
    clouds: One a seed, from 0 on, which all alphas share.

  Returns:
    The probabilities of class 1, `[alphas, seeds, pixels, pixels]`, and the
    last training losses, `[alphas, seeds]`.
  """
  each = []
  for seed, cloud in enumerate(
    tqdm.tqdm(clouds, unit="seed", disable=jax.process_index() > 0)
  ):
    inputs = np.asarray(alphas, np.float32), np.uint32(seed), *cloud
    each.append(jax.device_get(program(*jax.device_put(inputs))))
  surfaces, losses = (np.stack(part, axis=1) for part in zip(*each))
  return surfaces, losses


def uncertain_area(
  probabilities: np.ndarray, *, low: float = 0.1, high: float = 0.9
) -> np.ndarray:
  """Returns the share of the plane where neither class is nearly certain.

  Args:
    probabilities: `[..., pixels, pixels]` probabilities of a class.
    low: The lowest probability that is uncertain, exclusive;
    high: and the highest.

  Returns:
    `[...]`, in per cent.
  """
  inside = (low < probabilities) & (probabilities < high)
  return 100 * inside.mean((-2, -1))


def as_plane(
  cloud: Cloud, surfaces: Mapping[str, np.ndarray], *, limit: float
) -> results.Plane:
  """Returns a cloud and the surfaces of its networks as short text.

  Args:
    cloud: The points and their class ids, 0 and 1.
    surfaces: By the label of a method, `[pixels, pixels]` probabilities.
    limit: As in `make_program`.

  Returns:
    The payload of a figure, in per cent.
  """
  points, labels = cloud
  return results.Plane(
    limit=limit,
    points=[
      [f"{x:.3f} {y:.3f}" for x, y in points[labels == label]]
      for label in (0, 1)
    ],
    percent={
      method: [
        " ".join(map(str, line)) for line in np.rint(100 * surface).astype(int)
      ]
      for method, surface in surfaces.items()
    },
  )
