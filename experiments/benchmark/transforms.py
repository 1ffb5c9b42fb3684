"""Mixing, lambdas and losses: ours, and what you would write instead."""

import functools
from typing import Any, Callable

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmark import official
from experiments.benchmark import timing
from mixup_jax import losses
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
      timing.Case(f"mixup {size}", mix, official.OFFICIAL, other, goal)
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
          into_donated(ours, key, images, labels),
          official.OFFICIAL,
          other,
          0.1,
        )
      )
  return cases + [bytes_case(torch)]


def into_donated(
  mix: Callable[..., Any], *arguments: jax.Array
) -> timing.Thunk:
  """Donates to each call the images that the call before returned."""

  def mix_into(old: jax.Array, *new: jax.Array) -> Any:
    del old
    return mix(*new)

  jitted = jax.jit(mix_into, donate_argnums=0, keep_unused=True)
  mixed = jnp.zeros_like(arguments[1])

  def call() -> Any:
    nonlocal mixed
    mixed, targets = jitted(mixed, *arguments)
    return mixed, targets

  return call


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
    official.OFFICIAL,
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


def loss_cases(torch: Any) -> list[timing.Case]:
  """Takes value and gradient of the loss of mixed labels, 1024 x 1000."""
  rng = np.random.default_rng(0)
  logits = rng.normal(size=(1024, 1000)).astype(np.float32)
  ids = rng.integers(0, 1000, (2, 1024))
  mixed = transforms.MixedLabels(
    jnp.asarray(ids[0]), jnp.asarray(ids[1]), jnp.float32(0.3)
  )
  ours = jax.jit(
    jax.value_and_grad(lambda x, t: losses.cross_entropy(x, t).mean())
  )
  soft = jax.jit(
    jax.value_and_grad(
      lambda x, t: losses.cross_entropy(x, t.soft(1000)).mean()
    )
  )
  device_logits = jnp.asarray(logits)
  torch_logits = torch.from_numpy(logits).requires_grad_()
  torch_ids = torch.from_numpy(ids)
  entropy = torch.nn.functional.cross_entropy

  def theirs() -> Any:
    torch_logits.grad = None
    loss = 0.3 * entropy(torch_logits, torch_ids[0]) + 0.7 * entropy(
      torch_logits, torch_ids[1]
    )
    loss.backward()
    return loss.item()

  def by_ids() -> Any:
    return ours(device_logits, mixed)

  return [
    timing.Case(
      "loss of MixedLabels",
      by_ids,
      Method("two_losses", "PyTorch, two cross-entropies"),
      theirs,
      0.2,
    ),
    timing.Case(
      "loss of MixedLabels, beside soft labels",
      by_ids,
      Method("soft_labels", "one-hot labels, mixed"),
      lambda: soft(device_logits, mixed),
      0.5,
    ),
  ]


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
  cases = [*mixing_cases(torch), lambda_case(), *loss_cases(torch)]
  if official_only:
    cases = [case for case in cases if case.against == official.OFFICIAL]
  measured = timing.measure(cases, **options)
  return timing.table(measured), measured
