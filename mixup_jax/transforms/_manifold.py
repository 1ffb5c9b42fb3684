"""Manifold mixup: mixes at a hidden layer."""

import dataclasses
from typing import Iterable, Unpack

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _interpolate
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class HiddenMix:
  """Inputs, and a plan to mix one of their hidden layers; see `manifold`.

  Attributes:
    inputs: The inputs, unchanged.
    mix: The mixing plan.
    layer: `[]` int32, the drawn depth.
    layers: The depths that `layer` was drawn from.
  """

  inputs: PyTree
  mix: _plan.Mix
  layer: Array
  layers: tuple[int, ...] = dataclasses.field(metadata={"static": True})

  def hook(self, depth: int, hidden: PyTree) -> PyTree:
    """Mixes hidden values at the drawn depth; the model calls it at each depth.

    Args:
      depth: 0 for the input, d for the output of the d-th layer or stage.
      hidden: Any tree of `[batch, ...]` floating-point arrays.

    Returns:
      The mixed tree at the drawn depth, else the tree itself.
    """
    if depth not in self.layers:
      return hidden
    lam = jnp.where(depth == self.layer, self.mix.lam, 1)
    return _interpolate.mix_pairs(hidden, self.mix._replace(lam=lam))

  def check_depths(self, called: Iterable[int]) -> None:
    """Checks that the model called the hook at every depth that may be drawn.

    At another depth the targets alone would be mixed.

    Args:
      called: The depths at which it did.

    Raises:
      ValueError: If one of `layers` is not among them.
    """
    depths = sorted(set(called))
    missing = [layer for layer in self.layers if layer not in depths]
    if missing:
      raise ValueError(
        f"layers={self.layers}, but the model has no depth {missing[0]} to mix "
        f"at, and the targets alone would be mixed: choose from {depths}."
      )


def manifold(
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  layers: tuple[int, ...],
  **options: Unpack[_plan.MixOptions],
) -> tuple[HiddenMix, PyTree]:
  """Draws a depth to mix at, for a model that calls a hook at each depth.

  One trace serves all depths, and a single depth costs what mixup costs:

      mixed, targets = manifold(key, inputs, targets, alpha=2.0, layers=(0, 1))
      logits = model.apply(variables, mixed.inputs, mix=mixed.hook)

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` arrays, returned unchanged.
    targets: Any tree of `[batch, ...]` arrays: class ids (integers), or floats.
    alpha: Concentration of lam ~ Beta(alpha, alpha); 0 is ERM. May be traced.
    layers: The depths to choose from, uniformly; 0 is the input.
    **options: As in `sample_mix`.

  Returns:
    The inputs with the drawn plan, and the mixed targets. Split a batch before
    this call, not after it: a plan is valid only for the batch that it was
    drawn for.

  Raises:
    TypeError: If `alpha` is not a number.
    ValueError: If `layers` is empty, leading axes differ, the batch has fewer
      than two examples, or `alpha` is negative.

  References:
    Verma et al., Manifold Mixup, ICML 2019, section 2; with one layer, the
    "mix labels and latent representations" rows of Zhang et al., ICLR 2018,
    section 3.8.
  """
  if not layers:
    raise ValueError(
      "layers is empty: name at least one depth, such as (0,) for the input."
    )
  mix_key, layer_key = jax.random.split(key)
  size = _checks.batch_size(inputs=inputs, targets=targets)
  mix = _plan.sample_mix(mix_key, size, alpha=alpha, **options)
  layer = jax.random.choice(layer_key, jnp.asarray(layers, jnp.int32))
  mixed = HiddenMix(inputs, mix, layer, tuple(layers))
  return mixed, _interpolate.mix_targets(targets, mix)
