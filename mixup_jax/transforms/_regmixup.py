"""RegMixup: mixed examples beside the clean ones, as a regularizer."""

from typing import NamedTuple, Unpack

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _mixup
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


class CleanAndMixed(NamedTuple):
  """Targets of rows that alternate: an example, and its mix.

  Attributes:
    clean: `[batch, ...]` targets of rows 0, 2, ..., as they were given.
    mixed: Those of rows 1, 3, ..., as of `mixup`.
    eta: `[batch]` float32, the weight of the loss of the mix; that of the
      example itself is 1.
  """

  clean: PyTree
  mixed: PyTree
  eta: Array


def regmixup(
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  eta: jax.typing.ArrayLike = 1.0,
  **options: Unpack[_plan.MixOptions],
) -> tuple[PyTree, CleanAndMixed]:
  """Puts the mix of each example beside the example itself.

      loss = loss(inputs, targets) + eta * loss(mixup(inputs, targets))

  which is what `losses.cross_entropy` returns for these targets, one loss an
  example:

      inputs, targets = regmixup(key, inputs, targets, alpha=10.0)
      loss = losses.cross_entropy(net(inputs), targets).mean()

  Rows alternate, so that an example and its mix stay on one device, and that
  what comes back can be cut along the batch. A step takes twice the time of one
  of mixup.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` floating-point arrays.
    targets: Any tree of `[batch, ...]` arrays: class ids (integers), or floats
      (one-hot, multi-label, regression).
    alpha: Concentration of lam ~ Beta(alpha, alpha), for which the paper takes
      values well above 1, such as 10 or 20. May be traced.
    eta: The weight of the loss of the mix, at least 0. May be traced.
    **options: As in `sample_mix`. If `enabled` is False, eta is 0.

  Returns:
    `[2 * batch, ...]` inputs, of which rows 2 i are example i and rows 2 i + 1
    its mix, and the targets of both, with eta.

  Raises:
    TypeError: If inputs are not floating point, or `alpha` or `eta` is not a
      number.
    ValueError: If leading axes differ, the batch has fewer than two examples,
      or `alpha` or `eta` is negative.

  References:
    Pinto et al., RegMixup: Mixup as a Regularizer Can Surprisingly Improve
    Accuracy and Out Distribution Robustness, NeurIPS 2022, arXiv 2206.14502,
    section 3, with its eta of 1.
  """
  _checks.check_range("eta", eta, advice="the paper has 1")
  size = _checks.batch_size(inputs=inputs, targets=targets)
  mixed, mixed_targets = _mixup.mixup(
    key, inputs, targets, alpha=alpha, **options
  )
  eta = jnp.where(options.get("enabled", True), eta, 0.0)
  eta = jnp.broadcast_to(eta.astype(jnp.float32), (size,))

  def alternate(x: Array, y: Array) -> Array:
    both = jnp.stack([jnp.asarray(x), y], axis=1)
    return both.reshape(2 * size, *both.shape[2:])

  both = jax.tree.map(alternate, inputs, mixed)
  return both, CleanAndMixed(targets, mixed_targets, eta)
