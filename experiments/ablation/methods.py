"""The rows of Table 5: the paper's numbers, and what makes each row.

AC and SC are partners of all classes or of the same class; RP and KNN are
partners at random in the batch, or among the nearest neighbours in the training
set.
"""

import difflib
import functools
from typing import Any, Callable, Iterable, NamedTuple

import jax
import jax.numpy as jnp

from mixup_jax import transforms
from mixup_jax.train import step as steps

Array = jax.Array
# Makes a transform from alpha and the number of classes.
Maker = Callable[[float, int], steps.Transform]


class Method(NamedTuple):
  """A row of the table.

  Attributes:
    name: Its name there.
    paper: The test error in per cent at weight decay 1e-4 and 5e-4, None if
      the paper does not have the row.
    make: Makes the transform; None is ERM.
    layers: The depths that `transforms.manifold` draws from instead.
    neighbors: Whose nearest neighbours the partners are: "all classes" or
      "same class"; "" takes them from the batch.
    ends_early: Whether the last epochs are not mixed.
    unverified: Whether the paper's numbers are still to be compared with it.
  """

  name: str
  paper: tuple[float, float] | None
  make: Maker | None = None
  layers: tuple[int, ...] = ()
  neighbors: str = ""
  ends_early: bool = False
  unverified: bool = False


def same_class(
  key: Array,
  inputs: Array,
  targets: Array,
  *,
  where: Array | None = None,
  **options: Any,
) -> tuple[Array, Array]:
  """Mixes inputs only, with partners of the same class in the batch."""
  partner_key, mix_key = jax.random.split(key)
  # Padding is a class of its own, so that it meets no example.
  labels = targets if where is None else jnp.where(where, targets, -1)
  partner = transforms.same_class_partners(partner_key, labels)
  return transforms.inputs_only(
    mix_key, inputs, targets, partner=partner, **options
  )


def alone(
  key: Array,
  inputs: Array,
  targets: Array,
  *,
  transform: Callable[..., tuple[Array, Array]],
  where: Array | None = None,
) -> tuple[Array, Array]:
  """Applies what looks at each example alone, to which padding is nothing."""
  del where
  return transform(key, inputs, targets)


def _mixing(function: Callable[..., Any], **options: Any) -> Maker:
  return lambda alpha, _: functools.partial(function, alpha=alpha, **options)


def _both(epsilon: float) -> Maker:
  transform = functools.partial(
    transforms.inputs_with_smoothing, epsilon=epsilon
  )
  return lambda alpha, num_classes: functools.partial(
    transform, alpha=alpha, num_classes=num_classes
  )


def _smoothing(epsilon: float) -> Maker:
  transform = functools.partial(transforms.label_smoothing, epsilon=epsilon)
  return lambda _, num_classes: functools.partial(
    alone, transform=functools.partial(transform, num_classes=num_classes)
  )


def _noise(sigma: float) -> Maker:
  transform = functools.partial(transforms.gaussian_noise, sigma=sigma)
  return lambda *_: functools.partial(alone, transform=transform)


_mixup, _inputs = _mixing(transforms.mixup), _mixing(transforms.inputs_only)

# Zhang et al., ICLR 2018, Table 5: layer n is what enters stage n of the
# network, layer 5 what enters pooling. The last four are ours.
METHODS = {
  "erm": Method("ERM", (5.53, 5.18)),
  "mixup_ac_rp": Method("mixup, AC + RP", (4.24, 4.68), _mixup),
  "mixup_ac_knn": Method(
    "mixup, AC + KNN", (4.98, 5.26), _mixup, neighbors="all classes"
  ),
  "layer_1": Method("mixup of layer 1", (4.44, 4.51), layers=(1,)),
  "layer_2": Method("mixup of layer 2", (4.56, 4.61), layers=(2,)),
  "layer_3": Method("mixup of layer 3", (5.39, 5.55), layers=(3,)),
  "layer_4": Method("mixup of layer 4", (5.95, 5.43), layers=(4,)),
  "layer_5": Method("mixup of layer 5", (5.39, 5.15), layers=(5,)),
  "inputs_sc_knn": Method(
    "inputs only, SC + KNN",
    (5.45, 5.52),
    _inputs,
    neighbors="same class",
    unverified=True,
  ),
  "inputs_ac_knn": Method(
    "inputs only, AC + KNN",
    (5.43, 5.48),
    _inputs,
    neighbors="all classes",
    unverified=True,
  ),
  "inputs_sc_rp": Method(
    "inputs only, SC + RP", (5.23, 5.55), _mixing(same_class), unverified=True
  ),
  "inputs_ac_rp": Method(
    "inputs only, AC + RP", (5.17, 5.72), _inputs, unverified=True
  ),
  "smoothing_0.05": Method(
    "label smoothing, 0.05", (5.25, 5.02), _smoothing(0.05), unverified=True
  ),
  "smoothing_0.1": Method(
    "label smoothing, 0.1", (5.33, 5.17), _smoothing(0.1), unverified=True
  ),
  "smoothing_0.2": Method(
    "label smoothing, 0.2", (5.34, 5.06), _smoothing(0.2), unverified=True
  ),
  "inputs_smoothing_0.05": Method(
    "inputs and label smoothing, 0.05",
    (5.02, 5.4),
    _both(0.05),
    unverified=True,
  ),
  "inputs_smoothing_0.1": Method(
    "inputs and label smoothing, 0.1", (5.08, 5.09), _both(0.1), unverified=True
  ),
  "inputs_smoothing_0.2": Method(
    "inputs and label smoothing, 0.2", (4.98, 5.06), _both(0.2), unverified=True
  ),
  "inputs_smoothing_0.4": Method(
    "inputs and label smoothing, 0.4", (5.25, 5.39), _both(0.4), unverified=True
  ),
  "noise_0.05": Method(
    "Gaussian noise, 0.05", (5.53, 5.04), _noise(0.05), unverified=True
  ),
  "noise_0.1": Method(
    "Gaussian noise, 0.1", (6.41, 5.86), _noise(0.1), unverified=True
  ),
  "noise_0.2": Method(
    "Gaussian noise, 0.2", (7.16, 7.24), _noise(0.2), unverified=True
  ),
  "cutmix": Method("CutMix", None, _mixing(transforms.cutmix)),
  "manifold": Method(
    "mixup of a drawn layer, 0 to 4", None, layers=(0, 1, 2, 3, 4)
  ),
  "per_example": Method(
    "mixup, lam drawn for each example",
    None,
    _mixing(transforms.mixup, per_example=True),
  ),
  "ends_early": Method(
    "mixup, switched off at the end", None, _mixup, ends_early=True
  ),
}


def choose(names: Iterable[str], *, stages: int) -> dict[str, Method]:
  """Returns the rows of these names.

  Args:
    names: Keys of `METHODS`, or "all" alone.
    stages: How many stages the network has.

  Returns:
    The rows by name, each once.

  Raises:
    ValueError: If there is no such row, or the network is not deep enough.
  """
  names = tuple(names)
  chosen = {}
  for name in METHODS if names == ("all",) else names:
    if name not in METHODS:
      close = difflib.get_close_matches(name, METHODS, n=1)
      hint = f" Did you mean {close[0]!r}?" if close else ""
      raise ValueError(
        f"unknown row {name!r}.{hint} Known are all, {', '.join(METHODS)}."
      )
    deepest = max(METHODS[name].layers, default=0)
    if deepest > stages + 1:
      raise ValueError(
        f"row {name} mixes at depth {deepest}, but a network of "
        f"{stages} stages ends at {stages + 1}: give "
        "config.model.blocks one number for each of "
        f"{deepest - 1} stages, or leave out the row."
      )
    chosen[name] = METHODS[name]
  return chosen
