"""Every transform beside its floor, and beside other libraries.

The floor is the time to read the examples once and to write the results once,
by the bandwidth of `a * x`, jitted, on the same images.
"""

import functools
from typing import Any, Callable, Mapping

import jax
import jax.numpy as jnp

from experiments.benchmark import peers
from experiments.benchmark import timing
from mixup_jax import transforms
from mixup_jax.results import Method

FLOOR = Method("floor", "floor")
FLOOR_GOAL, PEER_GOAL = 1.3, 1.0
SHAPES = ((128, 32, 32, 3), (64, 224, 224, 3))

Array = jax.Array


def _manifold(key: Array, inputs: Array, targets: Array, **options: Any) -> Any:
  """Mixes at the first layer: the images, by the hook of a model."""
  mixed, targets = transforms.manifold(
    key, inputs, targets, layers=(0,), **options
  )
  return mixed.hook(0, mixed.inputs), targets


def _assigned(key: Array, inputs: Array, targets: Array, **options: Any) -> Any:
  """Mixes with partners of groups of 16, matched by distance."""
  key, partner_key = jax.random.split(key)
  partner = transforms.assigned_partners(partner_key, inputs, group=16)
  return transforms.mixup(key, inputs, targets, partner=partner, **options)


def _similar(key: Array, inputs: Array, targets: Array, **options: Any) -> Any:
  """Mixes with partners of similar targets, as for regression."""
  key, partner_key = jax.random.split(key)
  values = targets.astype(jnp.float32)
  partner = transforms.similar_target_partners(partner_key, values, sigma=1.0)
  return transforms.mixup(key, inputs, values, partner=partner, **options)


def _union(key: Array, inputs: Array, targets: Array, **options: Any) -> Any:
  """Mixes images, and keeps 20 boxes of each of a pair."""
  mix = transforms.sample_mix(key, len(inputs), **options)
  boxes = jnp.broadcast_to(targets[:, None, None], (len(inputs), 20, 4))
  return transforms.mix_pairs(inputs, mix), transforms.pair_union(boxes, mix)


def _same(x: Array) -> Array:
  return x


_alpha: dict[str, Any] = {"alpha": peers.ALPHA}
_smooth: dict[str, Any] = {"epsilon": 0.1, "num_classes": peers.CLASSES}
_partial = functools.partial

TRANSFORMS: dict[str, Callable[..., Any]] = {
  "mixup": _partial(transforms.mixup, **_alpha),
  "mixup, per example": _partial(transforms.mixup, per_example=True, **_alpha),
  "cutmix": _partial(transforms.cutmix, **_alpha),
  "resizemix": transforms.resizemix,
  "fmix": _partial(transforms.fmix, **_alpha),
  "regmixup": _partial(transforms.regmixup, **_alpha),
  "manifold": _partial(_manifold, **_alpha),
  "latent": _partial(transforms.latent, encode=_same, decode=_same, **_alpha),
  "inputs_only": _partial(transforms.inputs_only, **_alpha),
  "inputs_with_smoothing": _partial(
    transforms.inputs_with_smoothing, **_smooth, **_alpha
  ),
  "label_smoothing": _partial(transforms.label_smoothing, **_smooth),
  "gaussian_noise": _partial(transforms.gaussian_noise, sigma=peers.SIGMA),
  "paired": _partial(
    transforms.paired, transform=_partial(transforms.mixup, **_alpha)
  ),
  "switch": _partial(
    transforms.switch,
    transforms=(
      _partial(transforms.mixup, **_alpha),
      _partial(transforms.cutmix, **_alpha),
    ),
  ),
  "mixup, assigned_partners": _partial(_assigned, **_alpha),
  "mixup, similar_target_partners": _partial(_similar, **_alpha),
  "mixup, pair_union": _partial(_union, **_alpha),
}


def table(
  libraries: Mapping[str, Any],
  *,
  shapes: tuple[tuple[int, ...], ...] = SHAPES,
  **options: Any,
) -> tuple[str, list[timing.Measured]]:
  """Measures every transform, and returns the table and the times.

  Args:
    libraries: Modules of other libraries, from `peers.load`.
    shapes: Of batches, `[batch, height, width, channels]`.
    **options: Those of `timing.measure`.

  Returns:
    A line for each transform beside its floor and each library that has it,
    and the times; of a library that is not installed there are none.
  """
  measured = []
  for shape in shapes:
    images = jax.random.normal(jax.random.key(0), shape)
    for name in TRANSFORMS:
      measured += _measure(libraries, name, images, **options)
  return timing.table(measured), measured


def _measure(
  libraries: Mapping[str, Any], name: str, images: Array, **options: Any
) -> list[timing.Measured]:
  """Measures a transform beside each of its other sides."""
  setting = f"{name} {'x'.join(map(str, images.shape))}"
  given = images
  if name == "paired":  # It takes two rows an example.
    given = jnp.repeat(images, 2, axis=0)
  labels = jnp.arange(len(given), dtype=jnp.int32)
  key = jax.random.key(0)
  ours = _partial(jax.jit(TRANSFORMS[name]), key, given, labels)
  product = _partial(jax.jit(lambda a, x: a * x), jnp.float32(0.7), images)
  cases = [timing.Case(setting, ours, FLOOR, product, FLOOR_GOAL)]
  absent: list[timing.Case] = []
  others = peers.sides(libraries, name, jax.device_get(images))
  for method, other in others.items():
    case = timing.Case(setting, ours, method, other or ours, PEER_GOAL)
    (cases if other else absent).append(case)
  beside_product, *rest = timing.measure(cases, **options)
  share = moved_bytes(TRANSFORMS[name], given, labels) / (2 * images.nbytes)
  floor = beside_product._replace(
    other=tuple(ms * share for ms in beside_product.other),
    ratio=tuple(ratio / share for ratio in beside_product.ratio),
  )
  return [floor, *rest, *(timing.Measured(case, (), (), ()) for case in absent)]


def moved_bytes(
  transform: Callable[..., Any], images: Array, labels: Array
) -> int:
  """Returns the bytes of images that are read, and of results written."""
  results = jax.eval_shape(transform, jax.random.key(0), images, labels)
  leaves = jax.tree.leaves(results)
  return images.nbytes + sum(x.size * x.dtype.itemsize for x in leaves)
