"""Transforms of other libraries, on the same batch: whatever is installed."""

import importlib
import os
from typing import Any, Mapping

import jax.numpy as jnp
import numpy as np

from experiments.benchmark import timing
from mixup_jax.results import Method

CLASSES = 1000
ALPHA, SIGMA = 1.0, 0.1  # Of every lambda, and of the noise.
METHODS = {
  "torchvision": Method("torchvision", "torchvision"),
  "timm": Method("timm", "timm, in place"),
  "keras": Method("keras", "keras on jax"),
}
# What each of them has.
HAVE = {
  "torchvision": ("mixup", "cutmix", "switch", "gaussian_noise"),
  "timm": ("mixup", "cutmix", "switch"),
  "keras": ("mixup", "cutmix", "gaussian_noise"),
}


def load() -> dict[str, Any]:
  """Imports the libraries that are there, PyTorch among them.

  Returns:
    The modules by name. One that cannot be imported is left out, as
    torchvision beside a PyTorch of another release.
  """
  os.environ["KERAS_BACKEND"] = "jax"
  found = {}
  for name in ("torch", *METHODS):
    try:
      found[name] = importlib.import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
      print(f"without {name}: {error}")
  return found


def sides(
  libraries: Mapping[str, Any], transform: str, images: np.ndarray
) -> dict[Method, timing.Thunk | None]:
  """Returns what other libraries call for a transform, as their pages show it.

  Args:
    libraries: Modules, from `load`.
    transform: The name of one of ours.
    images: `[batch, height, width, channels]` floats.

  Returns:
    A function to time for each library that has the transform, None for one
    that is not installed.
  """
  make = {"torchvision": _torchvision, "timm": _timm, "keras": _keras}
  return {
    METHODS[name]: make[name](libraries, transform, images)
    if name in libraries
    else None
    for name, names in HAVE.items()
    if transform in names
  }


def _batch(torch: Any, images: np.ndarray) -> tuple[Any, Any]:
  """Returns images of PyTorch, channels first, and class ids."""
  channels_first = np.ascontiguousarray(np.moveaxis(images, -1, 1))
  return torch.from_numpy(channels_first), torch.arange(len(images))


def _torchvision(
  libraries: Mapping[str, Any], transform: str, images: np.ndarray
) -> timing.Thunk:
  """Returns a call of `torchvision.transforms.v2`."""
  v2 = importlib.import_module("torchvision.transforms.v2")
  x, y = _batch(libraries["torch"], images)
  if transform == "gaussian_noise":
    noise = v2.GaussianNoise(sigma=SIGMA, clip=False)
    return lambda: noise(x)
  mixup, cutmix = (
    make(alpha=ALPHA, num_classes=CLASSES) for make in (v2.MixUp, v2.CutMix)
  )
  both = v2.RandomChoice([mixup, cutmix])
  called = {"mixup": mixup, "cutmix": cutmix, "switch": both}[transform]
  return lambda: called(x, y)


def _timm(
  libraries: Mapping[str, Any], transform: str, images: np.ndarray
) -> timing.Thunk:
  """Returns a call of `timm.data.Mixup`, which writes into its input."""
  x, y = _batch(libraries["torch"], images)
  mixup = importlib.import_module("timm.data").Mixup(
    mixup_alpha=ALPHA * (transform != "cutmix"),
    cutmix_alpha=ALPHA * (transform != "mixup"),
    label_smoothing=0.0,
    num_classes=CLASSES,
  )
  return lambda: mixup(x, y)


def _keras(
  libraries: Mapping[str, Any], transform: str, images: np.ndarray
) -> timing.Thunk:
  """Returns a call of a layer of Keras, whose labels are one-hot."""
  layers, x = libraries["keras"].layers, jnp.asarray(images)
  if transform == "gaussian_noise":
    noise = layers.GaussianNoise(SIGMA)
    return lambda: noise(x, training=True)
  layer = layers.MixUp(ALPHA) if transform == "mixup" else layers.CutMix()
  batch = {"images": x, "labels": jnp.eye(len(images), CLASSES)}
  return lambda: layer(batch)
