"""Mixing in the space of another network's codes, seen as inputs again."""

from typing import Callable, Unpack

import jax

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _mix
from mixup_jax.transforms import _mixup

PyTree = _mix.PyTree


def latent(
  key: jax.Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  encode: Callable[[PyTree], PyTree],
  decode: Callable[[PyTree], PyTree],
  **options: Unpack[_mix.MixOptions],
) -> tuple[PyTree, PyTree]:
  """Mixes the codes of a batch and decodes them, and mixes targets alike.

      codes   = encode(inputs)
      inputs  = decode(lam * codes + (1 - lam) * codes[partner])
      targets = lam * targets + (1 - lam) * targets[partner]

  For the same key the pairs and weights are those of `mixup`, which it is if
  neither function changes anything. If only `decode` changes nothing, and
  `encode` is a whole autoencoder, it mixes reconstructions.

  What is not mixed is encoded and decoded all the same, where `alpha` is 0 or
  `enabled` is False too: inputs become their reconstructions.

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
    **options: `partner`, `per_example`, `fold`, `probability`, `enabled` and
      `where`, as in `sample_mix`.

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
  size = _checks.batch_size((inputs, targets))
  mix = _mix.sample_mix(key, size, alpha=alpha, **options)
  codes = _mixup.mix_pairs(encode(inputs), mix)
  return decode(codes), _mixup.mix_targets(targets, mix)
