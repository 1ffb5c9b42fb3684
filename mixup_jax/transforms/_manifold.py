"""Manifold mixup: the mixing happens at a hidden layer."""

from typing import Callable, Unpack

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _mix
from mixup_jax.transforms import _mixup

Array = jax.Array
PyTree = _mix.PyTree
# What a model calls at each depth: depth 0 is the input, depth d the output of
# the d-th hidden layer or stage.
Hook = Callable[[int, PyTree], PyTree]


def manifold(
  key: Array,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  layers: tuple[int, ...],
  **options: Unpack[_mix.MixOptions],
) -> tuple[Hook, PyTree]:
  """Draws a depth to mix at, for a model that calls a hook at each depth.

  One trace serves all depths, and a single depth costs what mixup costs:

      hook, targets = manifold(key, targets, alpha=2.0, layers=(0, 1, 2))
      logits = model.apply(variables, inputs, train=True, mix=hook)

  Args:
    key: A typed PRNG key, consumed.
    targets: Any tree of `[batch, ...]` arrays: class ids (integers), or floats.
    alpha: Concentration of lam ~ Beta(alpha, alpha); 0 is ERM. May be traced.
    layers: The depths to choose from, uniformly; 0 is the input.
    **options: As in `sample_mix`.

  Returns:
    A function `(depth, hidden) -> hidden` that mixes at the drawn depth and
    changes nothing at the others, and the mixed targets.

  Raises:
    TypeError: If `alpha` is not a number.
    ValueError: If `layers` is empty, the batch has fewer than two examples, or
      `alpha` is negative.

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
  size = _checks.batch_size(targets)
  mix = _mix.sample_mix(mix_key, size, alpha=alpha, **options)
  layer = jax.random.choice(layer_key, jnp.asarray(layers, jnp.int32))

  def hook(depth: int, hidden: PyTree) -> PyTree:
    if depth not in layers:
      return hidden
    lam = jnp.where(depth == layer, mix.lam, 1)
    return _mixup.mix_pairs(hidden, mix._replace(lam=lam))

  return hook, _mixup.mix_targets(targets, mix)
