"""Figure 1b: what ERM and mixup learn from two rings in the plane."""

import functools
import time
from typing import Any, Callable

import jax
import numpy as np
import tqdm

from mixup_jax import losses
from mixup_jax import models
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.data import toy
from mixup_jax.recipes import pretrained
from mixup_jax.train import optim
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Array = jax.Array

SETTING = "two rings"
AREA = "area of the window with 0.1 < p < 0.9 (%)"
_LOWEST = {"seeds": 1, "pixels": 2, "steps": 1, "limit": 0, "noise": 0}


def prepare(config: Any) -> list[tuple[np.ndarray, np.ndarray]]:
  """Checks the config of the rings, and draws a cloud for each seed."""
  transforms.check_alpha(config.alpha)
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(
        f"config.rings.{name} must be at least {low}, got {config[name]}."
      )
  return [
    toy.sample_rings(
      seed,
      inner=config.inner,
      outer=config.outer,
      ratio=config.ratio,
      noise=config.noise,
    )
    for seed in range(config.seeds)
  ]


def make_program(config: Any) -> Callable[..., Any]:
  """Compiles the training of both methods, and what they say of the plane.

  Args:
    config: The config of the rings.

  Returns:
    A jitted function `(alphas, seed, points, labels)` -> the probability of
    class 1 at each pixel, `[alphas, pixels, pixels]`, rows of rising y, and the
    last training loss `[alphas]`.
  """
  model = models.build("mlp", num_classes=2, hidden=config.hidden)
  tx = optim.build("adam", learning_rate=config.learning_rate)
  axis = np.linspace(-config.limit, config.limit, config.pixels)
  plane = np.stack(np.meshgrid(axis, axis), axis=-1).astype(np.float32)

  def run(
    alpha: Array, seed: Array, points: Array, labels: Array
  ) -> tuple[Array, Array]:
    init_key, step_key = jax.random.split(jax.random.key(seed))
    step = steps.make_train_step(
      model,
      tx,
      losses.cross_entropy,
      root_key=step_key,
      prepare=lambda key, batch: (points, labels),
      transform=functools.partial(transforms.mixup, alpha=alpha),
    )
    state, metrics = jax.lax.scan(
      lambda state, _: step(state, {}),
      states.create(model, tx, init_key, points),
      length=config.steps,
    )
    logits: Any = model.apply(state.variables(), plane)
    return jax.nn.softmax(logits)[..., 1], metrics["loss"][-1]

  return jax.jit(jax.vmap(run, in_axes=(0, None, None, None)))


def run(
  config: Any, clouds: list[tuple[np.ndarray, np.ndarray]]
) -> results.Result:
  """Trains on every cloud; returns rows over all, and the plane of the first.

  Args:
    config: The config of the rings.
    clouds: Points and labels, one cloud a seed, which both methods share.

  Returns:
    Rows, and the plane as ERM and mixup see it.

  Raises:
    FloatingPointError: If a loss is not finite.
  """
  start = time.perf_counter()
  program = make_program(config)
  methods = pretrained.methods(config.alpha)
  alphas = np.asarray(list(methods.values()), np.float32)
  planes = []
  progress = tqdm.tqdm(
    clouds, unit="seed", desc="rings", disable=jax.process_index() > 0
  )
  for seed, cloud in enumerate(progress):
    plane, loss = jax.device_get(
      program(*jax.device_put((alphas, np.uint32(seed), *cloud)))
    )
    if not np.isfinite(loss).all():
      raise FloatingPointError(
        "the loss on the rings is not finite: lower config.rings.learning_rate."
      )
    planes.append(plane)
  # [methods, seeds]
  area = 100 * ((0.1 < np.stack(planes, 1)) & (np.stack(planes, 1) < 0.9)).mean(
    (2, 3)
  )
  rows = [
    results.summarize(
      values,
      setting=SETTING,
      method=method,
      metric=AREA,
      paper=None,
      epochs=config.steps,
    )
    for method, values in zip(methods, area)
  ]
  return {
    "rows": rows,
    "plane": _plane(config, clouds[0], planes[0]),
    "wall_seconds": time.perf_counter() - start,
  }


def _plane(
  config: Any, cloud: tuple[np.ndarray, np.ndarray], probabilities: np.ndarray
) -> results.Plane:
  """Writes a cloud and its `[methods, pixels, pixels]` maps as short text."""
  points, labels = cloud
  percent = np.rint(100 * probabilities).astype(int)
  return results.Plane(
    limit=config.limit,
    points=[
      [f"{x:.3f} {y:.3f}" for x, y in points[labels == label]]
      for label in (0, 1)
    ],
    percent={
      method: [" ".join(map(str, line)) for line in lines]
      for method, lines in zip(pretrained.methods(config.alpha), percent)
    },
  )
