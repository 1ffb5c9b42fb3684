"""The mixing plan: the weight of each example, and its partner."""

import functools
from typing import Any, Callable, NamedTuple, TypedDict

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _ids
from mixup_jax.transforms import _lambdas
from mixup_jax.transforms import _partners

Array = jax.Array
PyTree = Any
# Rows of the batch, or a function that maps any tree of `[batch, ...]` arrays
# to the partners' rows, which pairs a sharded batch without gathering it
# (`mixup_jax.sharding.partners`).
Partner = Array | Callable[[PyTree], PyTree]


class Mix(NamedTuple):
  """A mixing plan as data: log it, replay it, or share it between layers.

  Attributes:
    lam: `[]` or `[batch]` float32, the weight of the example itself.
    partner: `[batch]` int32, the row that each example is mixed with, or a
      function, as in `sample_mix`.
  """

  lam: Array
  partner: Partner


class PlanOptions(TypedDict, total=False):
  """Options of transforms with a lam of their own; see `sample_mix`."""

  partner: Partner | None
  per_example: bool
  group_size: int
  probability: jax.typing.ArrayLike
  enabled: jax.typing.ArrayLike
  where: Array | None


class MixOptions(PlanOptions, total=False):
  """Options of every mixing transform; `sample_mix` documents them."""

  fold: bool


def sample_mix(
  key: Array,
  size: int,
  *,
  alpha: jax.typing.ArrayLike,
  partner: Partner | None = None,
  per_example: bool = False,
  group_size: int = 0,
  fold: bool = False,
  probability: jax.typing.ArrayLike = 1.0,
  enabled: jax.typing.ArrayLike = True,
  where: Array | None = None,
) -> Mix:
  """Draws a mixing plan: the weights and partners of a batch.

  Args:
    key: A typed PRNG key, consumed.
    size: The number of examples in the batch, at least 2.
    alpha: Concentration of lam ~ Beta(alpha, alpha); 0 is ERM. May be traced.
    partner: `[batch]` int32 rows, or a function from a tree of `[batch, ...]`
      arrays to the partners' rows; by default a random permutation.
    per_example: Whether to draw one lam per example instead of one per batch.
    group_size: How many consecutive examples share a lam, such as those of a
      worker; 0 is all of the batch.
    fold: Whether to use max(lam, 1 - lam), so that an example never weighs
      less than its partner.
    probability: Probability of mixing, drawn per batch, group or example like
      lam. May be traced.
    enabled: Whether mixing is on. May be traced, so that switching it off late
      in training does not recompile.
    where: `[batch]` booleans, False for padding. Padding never mixes into a
      valid example: the default permutation stays within the valid rows, and
      with a given `partner`, examples that are paired with padding stay
      unmixed.

  Returns:
    The plan. `lam` is `[batch]` if `per_example` or `group_size`, or if both
    `where` and `partner` are given, otherwise `[]`.

  Raises:
    TypeError: If `alpha` is not a number, or `where` not boolean.
    ValueError: If the batch has fewer than two examples, `where` another shape,
      `alpha` is negative, `probability` is not in [0, 1], the batch cannot be
      divided into groups, or there are groups and `per_example`.

  References:
    Zhang et al., ICLR 2018, section 2; one lam per batch as in the released
    code.
  """
  _checks.check_alpha(alpha)
  return draw_mix(
    key,
    size,
    functools.partial(_lambdas.sample_lambda, alpha=alpha, fold=fold),
    partner=partner,
    per_example=per_example,
    group_size=group_size,
    probability=probability,
    enabled=enabled,
    where=where,
  )


def draw_mix(
  key: Array,
  size: int,
  sample: Callable[..., Array],
  *,
  partner: Partner | None = None,
  per_example: bool = False,
  group_size: int = 0,
  probability: jax.typing.ArrayLike = 1.0,
  enabled: jax.typing.ArrayLike = True,
  where: Array | None = None,
) -> Mix:
  """Draws a plan as `sample_mix`, its weights by `sample(key, shape=shape)`."""
  _checks.check_pairable(size)
  _checks.check_where(where, size)
  _checks.check_range(
    "probability", probability, high=1, advice="1 mixes every batch"
  )
  lam_key, partner_key, gate_key = jax.random.split(key, 3)
  if per_example and group_size > 1:
    raise ValueError(
      f"per_example draws a lam for each example, group_size={group_size} one "
      "for so many: give one of them."
    )
  group_size = 1 if per_example else group_size
  if group_size < 0 or (group_size and size % group_size):
    raise ValueError(
      f"group_size={group_size} does not divide the batch of {size} examples: "
      "use a divisor, or 0 for one lam a batch."
    )
  shape = (size // group_size,) if group_size else ()
  lam = jnp.where(enabled, sample(lam_key, shape=shape), 1)
  if isinstance(probability, jax.Array) or probability != 1:
    probability = jnp.asarray(probability, jnp.float32)
    lam = jnp.where(jax.random.bernoulli(gate_key, probability, shape), lam, 1)
  if group_size > 1:
    lam = jnp.repeat(lam, group_size)
  if partner is not None:
    if where is not None:
      lam = jnp.where(partner_rows(where, partner), lam, 1)
  elif where is not None:
    partner = _partners.same_class_partners(partner_key, where)
  else:
    partner = _partners.random_partners(partner_key, size)
  return Mix(lam, partner)


def partner_rows(tree: PyTree, partner: Partner) -> PyTree:
  """Returns the tree with each row replaced by the row of its partner.

  Where a row number is out of range, floats are NaN, and ids out of range too.
  A leaf that holds no numbers is an error that names it.
  """
  _checks.check_numbers(tree=tree)
  if callable(partner):
    return partner(tree)
  rows: Any = partner

  def fetch(x: Array) -> Array:
    x = jnp.asarray(x)
    _ids.in_range(rows, size=len(x), name="partners")
    return x.at[rows].get(mode="fill", wrap_negative_indices=False)

  return jax.tree.map(fetch, tree)
