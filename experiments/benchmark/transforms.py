"""Mixing and lambdas: ours, and what you would write instead."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmark import official
from experiments.benchmark import timing
from mixup_jax import transforms
from mixup_jax.results import Method

IMAGE_MEAN, IMAGE_STD = 0.4734, 0.2009  # One channel will do for a time.


def mixing_cases(torch: Any) -> list[timing.Case]:
  """Mixes float images, ours against the official algorithm and a product."""
  cases = []
  for shape, goal in (
    ((128, 32, 32, 3), 0.55),
    ((1024, 32, 32, 3), 0.35),
    ((64, 224, 224, 3), 0.3),
  ):
    key = jax.random.key(0)
    images, labels = jax.random.normal(key, shape), jnp.arange(shape[0])
    ours = jax.jit(lambda key, x, y: transforms.mixup(key, x, y, alpha=0.2))
    scaled = jax.jit(lambda a, x: a * x)
    torch_images = torch.from_numpy(np.array(images))
    torch_labels = torch.arange(shape[0])
    size = "x".join(map(str, shape))
    mix = functools.partial(ours, key, images, labels)
    other = functools.partial(official.mixup, torch, torch_images, torch_labels)
    cases.append(
      timing.Case(f"mixup {size}", mix, timing.OFFICIAL, other, goal)
    )
    if shape[0] == 64:
      product = functools.partial(scaled, jnp.float32(0.7), images)
      cases.append(
        timing.Case(
          f"mixup {size}, beside a product",
          mix,
          Method("product", "a * x, jitted"),
          product,
          1.2,
        )
      )
      cases.append(
        timing.Case(
          f"mixup {size}, donated output",
          timing.into_donated(ours, key, images, labels),
          timing.OFFICIAL,
          other,
          0.1,
        )
      )
  return cases + [bytes_case(torch)]


def bytes_case(torch: Any) -> timing.Case:
  """Normalises and mixes images that are bytes, as data sets store them."""
  shape = (1024, 32, 32, 3)
  images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
  labels = jnp.arange(shape[0])

  @jax.jit
  def ours(key: jax.Array, x: jax.Array) -> Any:
    normalised = (x.astype(jnp.float32) / 255 - IMAGE_MEAN) / IMAGE_STD
    return transforms.mixup(key, normalised, labels, alpha=0.2)

  def theirs(x: Any, y: Any) -> Any:
    normalised = (x.float() / 255 - IMAGE_MEAN) / IMAGE_STD
    return official.mixup(torch, normalised, y)

  device_images, key = jnp.asarray(images), jax.random.key(0)
  torch_images, torch_labels = torch.from_numpy(images), torch.arange(shape[0])
  return timing.Case(
    "normalise and mix uint8 1024x32x32x3",
    lambda: ours(key, device_images),
    timing.OFFICIAL,
    lambda: theirs(torch_images, torch_labels),
    0.35,
  )


def lambda_case() -> timing.Case:
  """Draws 1,024 lambdas, ours against the sampler of JAX."""
  key = jax.random.key(0)
  ours = jax.jit(
    lambda key: transforms.sample_lambda(key, alpha=0.2, shape=(1024,))
  )
  jax_beta = jax.jit(lambda key: jax.random.beta(key, 0.2, 0.2, (1024,)))
  return timing.Case(
    "sample_lambda, 1,024 draws",
    lambda: ours(key),
    Method("jax_beta", "jax.random.beta"),
    lambda: jax_beta(key),
    0.25,
  )


def table(
  torch: Any, *, official_only: bool = False, **options: Any
) -> tuple[str, list[timing.Measured]]:
  """Measures the transforms, and returns the table and the times.

  Args:
    torch: The module.
    official_only: Whether to leave out all but the official algorithm.
    **options: Those of `timing.measure`.

  Returns:
    A line for each case, and its times.
  """
  cases = [*mixing_cases(torch), lambda_case()]
  if official_only:
    cases = [case for case in cases if case.against == timing.OFFICIAL]
  measured = timing.measure(cases, **options)
  return timing.table(measured), measured
