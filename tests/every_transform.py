"""Every public transform with options, and plain functions of a user."""

import functools

import jax
import jax.numpy as jnp

from mixup_jax import transforms

CLASSES = 5


def plain(key, inputs, targets):
  """Mixes with the previous row, without the options of the protocol."""
  mix = transforms.sample_mix(
    key,
    len(targets),
    alpha=1.0,
    partner=transforms.rolled_partners(len(targets)),
  )
  return transforms.mix_pairs(inputs, mix), transforms.mix_targets(targets, mix)


def plain_soft(key, inputs, targets):
  """The same with soft targets of class ids."""
  mixed, targets = plain(key, inputs, targets)
  return mixed, targets.soft(CLASSES)


def row_an_example(inputs, targets):
  """Returns what is mixed, without the clean rows that regmixup adds."""
  if isinstance(targets, transforms.CleanAndMixed):
    return jax.tree.map(lambda x: x[1::2], inputs), targets.mixed
  return inputs, targets


def _same(x):
  return x


def _partial(function, **options):
  return functools.partial(function, **options)


_smooth = {"epsilon": 0.2, "num_classes": CLASSES}

TRANSFORMS = {
  "mixup": _partial(transforms.mixup, alpha=1.0),
  "mixup, all options": _partial(
    transforms.mixup, alpha=0.4, per_example=True, fold=True, probability=0.5
  ),
  "mixup, rolled": _partial(
    transforms.mixup,
    alpha=1.0,
    partner=lambda tree: jax.tree.map(lambda x: jnp.roll(x, 1, axis=0), tree),
  ),
  "cutmix": _partial(transforms.cutmix, alpha=1.0),
  "cutmix, per example": _partial(
    transforms.cutmix, alpha=1.0, per_example=True
  ),
  "resizemix": _partial(transforms.resizemix, scale=(0.3, 0.8)),
  "resizemix, per example": _partial(
    transforms.resizemix, scale=(0.3, 0.8), per_example=True
  ),
  "fmix": _partial(transforms.fmix, alpha=1.0),
  "fmix, per example": _partial(
    transforms.fmix, alpha=1.0, decay=1.0, per_example=True
  ),
  "regmixup": _partial(transforms.regmixup, alpha=1.0, eta=0.5),
  "manifold": _partial(transforms.manifold, alpha=1.0, layers=(0,)),
  "latent": _partial(transforms.latent, alpha=1.0, encode=_same, decode=_same),
  "gaussian_noise": _partial(transforms.gaussian_noise, sigma=0.1),
  "label_smoothing": _partial(transforms.label_smoothing, **_smooth),
  "inputs_only": _partial(transforms.inputs_only, alpha=1.0),
  "inputs_with_smoothing": _partial(
    transforms.inputs_with_smoothing, alpha=1.0, **_smooth
  ),
  "switch": _partial(
    transforms.switch,
    transforms=(
      _partial(transforms.mixup, alpha=1.0),
      _partial(transforms.cutmix, alpha=1.0),
    ),
  ),
  "switch of plain functions": _partial(
    transforms.switch, transforms=(plain, _partial(transforms.mixup, alpha=1.0))
  ),
  "a plain function": plain,
  "a plain function, soft": plain_soft,
}
# The transform of adjacent pairs takes twice the rows.
PAIRED = _partial(
  transforms.paired, transform=_partial(transforms.mixup, alpha=1.0)
)
