"""Mixing with partners that follow their examples in the batch."""

from typing import Any, Callable

import jax

from mixup_jax.transforms._manifold import HiddenMix
from mixup_jax.transforms._regmixup import CleanAndMixed

Array = jax.Array
PyTree = Any


def paired(
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  transform: Callable[..., tuple[PyTree, PyTree]],
  where: Array | None = None,
  **options: Any,
) -> tuple[PyTree, PyTree]:
  """Mixes each example with the row after it, and drops that row.

  Rows 2 i and 2 i + 1 are example i and its partner: adjacent, so that each
  pair of a sharded batch stays on one device.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[2 * batch, ...]` arrays.
    targets: Any tree of `[2 * batch, ...]` arrays.
    transform: A transform with the option `partner`, such as
      `functools.partial(mixup, alpha=1.0)`.
    where: Unused: padding is only paired with padding.
    **options: Passed to the transform.

  Returns:
    The transformed inputs and targets, `[batch, ...]`.

  Raises:
    TypeError: If the transform mixes hidden layers, or returns mixes beside
      the examples.

  References:
    Zhang et al., ICLR 2018, section 3.8: partners from the whole training set.
  """
  del where
  inputs, targets = transform(key, inputs, targets, partner=_swap, **options)
  if isinstance(inputs, HiddenMix):
    raise TypeError(
      "paired cannot mix hidden layers: the model would run on the partners "
      "too. Mix inputs, or take partners from the batch."
    )
  if isinstance(targets, CleanAndMixed):
    raise TypeError(
      "paired takes transforms that return a row an example, which regmixup "
      "does not: take its partners from the batch."
    )
  return jax.tree.map(lambda x: _pairs(x)[:, 0], (inputs, targets))


def _swap(tree: PyTree) -> PyTree:
  """Swaps the two rows of each pair."""
  return jax.tree.map(lambda x: _pairs(x)[:, ::-1].reshape(x.shape), tree)


def _pairs(x: Array) -> Array:
  """Returns `[2 * batch, ...]` rows as `[batch, 2, ...]`."""
  return x.reshape(-1, 2, *x.shape[1:])
