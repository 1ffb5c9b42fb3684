"""Remix: labels of mixed examples that favour the rarer class."""

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _ids
from mixup_jax.transforms._interpolate import MixedLabels

Array = jax.Array


def remix_targets(
  mixed: MixedLabels,
  counts: jax.typing.ArrayLike,
  *,
  kappa: float | Array = 3.0,
  tau: float | Array = 0.5,
) -> MixedLabels:
  """Gives the whole label to the rarer class of a pair of unequal classes.

      lam = 0  where  n_i / n_j >= kappa      and      lam < tau
      lam = 1  where  n_i / n_j <= 1 / kappa  and  1 - lam < tau

  and stays elsewhere, with n_i and n_j the numbers of training examples of the
  class of an example and of its partner. Inputs stay mixed as they are:

      inputs, targets = mixup(key, inputs, labels, alpha=1.0)
      targets = remix_targets(targets, counts)

  Args:
    mixed: Labels as of `mixup` or `cutmix`, or maps of labels as of `mixup`.
    counts: `[classes]` numbers of training examples, above 0.
    kappa: How many times larger the larger class must be, at least 1.
    tau: The weight below which the larger class loses its share, in [0, 1].

  Returns:
    The labels, with `[batch, ...]` float32 lam, an entry for each label. It is
    NaN where a class id is out of range.

  Raises:
    TypeError: If the labels are not `MixedLabels`, or `kappa` or `tau` is not a
      number.
    ValueError: If `counts` is not `[classes]`, `kappa` is below 1, `tau` is not
      in [0, 1], or an id of a NumPy array is out of range.

  References:
    Chou et al., Remix: Rebalanced Mixup, ECCV 2020 workshops, arXiv 2007.03943,
    eq. 7, with its kappa of 3 and tau of 0.5.
  """
  if not isinstance(mixed, MixedLabels):
    raise TypeError(
      "remix_targets takes MixedLabels, which transforms make of class ids, "
      f"got {type(mixed).__name__}: pass ids to the transform."
    )
  advice = "it is how many times larger the larger class must be"
  _checks.check_range("kappa", kappa, advice=advice)
  if not isinstance(kappa, jax.Array) and kappa < 1:
    raise ValueError(f"kappa must be at least 1, got {kappa}: {advice}.")
  _checks.check_range("tau", tau, high=1, advice="the paper has 0.5")
  counts = jnp.asarray(counts, jnp.float32)
  if counts.ndim != 1:
    raise ValueError(
      f"counts must be one number a class, got the shape {counts.shape}."
    )
  ids = mixed.labels, mixed.partner_labels
  valid, other_valid = (
    _ids.in_range(x, size=len(counts), name="class ids") for x in ids
  )
  own, other = (jnp.take(counts, x, mode="clip") for x in ids)
  lam = mixed.lam.reshape(mixed.lam.shape + (1,) * (own.ndim - mixed.lam.ndim))
  lam = jnp.broadcast_to(lam, own.shape)
  loses = (own >= kappa * other) & (lam < tau)
  wins = (kappa * own <= other) & (1 - lam < tau)
  remixed = jnp.where(wins, 1.0, jnp.where(loses, 0.0, lam))
  return mixed._replace(lam=_ids.nan_unless(valid & other_valid, remixed))
