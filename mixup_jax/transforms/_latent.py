"""Mixing in the latent space of an autoencoder."""

import functools
from typing import Any, Callable, Unpack

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _interpolate
from mixup_jax.transforms import _plan

PyTree = _plan.PyTree


def latent(
  key: jax.Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  encode: Callable[[PyTree], PyTree],
  decode: Callable[[PyTree], PyTree],
  **options: Unpack[_plan.MixOptions],
) -> tuple[PyTree, PyTree]:
  """Mixes the codes of a batch, decodes them, and mixes the targets likewise.

      codes   = encode(inputs)
      inputs  = decode(lam * codes + (1 - lam) * codes[partner])
      targets = lam * targets + (1 - lam) * targets[partner]

  For the same key, the pairs and weights are those of `mixup`, and so is the
  result if both functions are the identity. If `decode` is the identity and
  `encode` a whole autoencoder, it mixes reconstructions.

  If `alpha` is 0, inputs are still encoded and decoded: they become their
  reconstructions. If `enabled` is False, they are returned unchanged.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` arrays that `encode` takes.
    targets: Any tree of `[batch, ...]` arrays: class ids (integers), or floats
      (one-hot, multi-label, regression).
    alpha: Concentration of lam ~ Beta(alpha, alpha); 0 mixes nothing. May be
      traced.
    encode: Returns the codes of inputs, any tree of `[batch, ...]`
      floating-point arrays.
    decode: Returns the inputs of codes.
    **options: `partner`, `per_example`, `group_size`, `fold`, `probability`,
      `enabled` and `where`, as in `sample_mix`.

  Returns:
    The decoded inputs, and the mixed targets as of `mixup`.

  Raises:
    TypeError: If codes are not floating point, or `alpha` is not a number.
    ValueError: If leading axes differ, the batch has fewer than two examples,
      or `alpha` is negative.

  References:
    Kingma and Welling, Auto-encoding variational Bayes, ICLR 2014, for such a
    pair of functions; Zhang et al., ICLR 2018, eq. 2.
  """
  size = _checks.batch_size(inputs=inputs, targets=targets)
  mix = _plan.sample_mix(key, size, alpha=alpha, **options)
  decoded = decode(_interpolate.mix_pairs(encode(inputs), mix))
  enabled = options.get("enabled", True)
  if enabled is not True:
    keep = functools.partial(_keep, enabled)
    decoded = jax.tree.map(keep, decoded, inputs)
  return decoded, _interpolate.mix_targets(targets, mix)


def _keep(enabled: jax.typing.ArrayLike, x: jax.Array, own: Any) -> jax.Array:
  """Returns the decoded inputs if enabled, else the inputs themselves."""
  return jnp.where(enabled, x, jnp.asarray(own).astype(x.dtype))
