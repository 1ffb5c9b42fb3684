"""mixup: convex combinations of pairs of examples and of their targets."""

from typing import Callable, Unpack

import jax

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _interpolate
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


def mixup(
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  normalize: Callable[[PyTree], PyTree] | None = None,
  **options: Unpack[_plan.MixOptions],
) -> tuple[PyTree, PyTree]:
  """Mixes a batch with a random permutation of itself.

      inputs  = lam * inputs  + (1 - lam) * inputs[partner]
      targets = lam * targets + (1 - lam) * targets[partner]

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` floating-point arrays, or of any dtype
      that `normalize` takes.
    targets: Any tree of `[batch, ...]` arrays: class ids (integers), or floats
      (one-hot, multi-label, regression).
    alpha: Concentration of lam ~ Beta(alpha, alpha); 0 is ERM. May be traced.
    normalize: Converts inputs to floats, and partners after they are fetched:
      bytes move between devices and in memory at a quarter of the cost of
      float32.
    **options: `partner`, `per_example`, `group_size`, `fold`, `probability`,
      `enabled` and `where`, as in `sample_mix`.

  Returns:
    The mixed inputs, in their own dtypes, and the mixed targets: floats in
    their own dtypes, integers as `MixedLabels`.

  Raises:
    TypeError: If inputs are not floating point, or `alpha` is not a number.
    ValueError: If leading axes differ, the batch has fewer than two examples,
      or `alpha` is negative.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, eq. 2.
  """
  size = _checks.batch_size(inputs=inputs, targets=targets)
  mix = _plan.sample_mix(key, size, alpha=alpha, **options)
  partners = _plan.partner_rows(inputs, mix.partner)
  if normalize is not None:
    inputs, partners = normalize(inputs), normalize(partners)
  mixed = _interpolate.interpolate(inputs, partners, mix.lam)
  return mixed, _interpolate.mix_targets(targets, mix)
