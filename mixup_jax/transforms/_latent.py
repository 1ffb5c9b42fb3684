"""Latent mixup: the mixing happens between an encoder and a decoder."""

from typing import Callable, Unpack

import jax

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _mix
from mixup_jax.transforms import _mixup

Array = jax.Array
PyTree = _mix.PyTree


def latent(
    key: Array,
    inputs: PyTree,
    targets: PyTree,
    *,
    encode: Callable[[PyTree], PyTree],
    decode: Callable[[PyTree], PyTree],
    alpha: jax.typing.ArrayLike,
    **options: Unpack[_mix.MixOptions],
) -> tuple[PyTree, PyTree]:
  """Mixes the codes of an autoencoder, and decodes them.

      codes   = encode(inputs)
      inputs  = decode(lam * codes + (1 - lam) * codes[partner])
      targets = lam * targets + (1 - lam) * targets[partner]

  Where nothing is mixed, at `alpha=0` for one, inputs are reconstructions, and
  not what they were. With an encoder and a decoder that do nothing, it is
  `mixup`, with the same draws.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` arrays that `encode` takes.
    targets: Any tree of `[batch, ...]` arrays: class ids (integers), or floats.
    encode: Returns a tree of `[batch, ...]` floating-point codes; parameters
      are bound to it, and have no gradient here.
    decode: Returns inputs of such codes.
    alpha: Concentration of lam ~ Beta(alpha, alpha). May be traced.
    **options: As in `sample_mix`.

  Returns:
    What was decoded, and the mixed targets as `mixup` returns them.

  Raises:
    TypeError: If codes are not floating point, or `alpha` is not a number.
    ValueError: If leading axes differ, the batch has fewer than two examples,
      or `alpha` is negative.

  References:
    After Zhang et al., ICLR 2018, section 3.8, which mixes what a classifier
    computes; of an autoencoder, the paper says nothing.
  """
  mix = _mix.sample_mix(key,
                        _checks.batch_size((inputs, targets)),
                        alpha=alpha,
                        **options)
  decoded = decode(_mixup.mix_pairs(encode(inputs), mix))
  return decoded, _mixup.mix_targets(targets, mix)
