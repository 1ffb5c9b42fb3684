"""Partners that stand beside their examples, from wherever they come."""

from typing import Any, Callable

import jax

from mixup_jax.transforms._manifold import HiddenMix

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
  """Mixes each example with the row behind it, and drops that row.

  Rows 2 i and 2 i + 1 are example i and its partner. Neighbours, so that pairs
  of a sharded batch stay on their devices.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[2 * batch, ...]` arrays.
    targets: Any tree of `[2 * batch, ...]` arrays.
    transform: A transform with the option `partner`, such as
      `functools.partial(mixup, alpha=1.0)`.
    where: Not used: padding is its own pair, and meets no example.
    **options: Handed on.

  Returns:
    The transformed inputs and targets, `[batch, ...]`.

  Raises:
    TypeError: If the transform mixes hidden layers.

  References:
    Zhang et al., ICLR 2018, section 3.8: partners from the whole training set.
  """
  del where
  inputs, targets = transform(key, inputs, targets, partner=_swap, **options)

  if isinstance(inputs, HiddenMix):
    raise TypeError(
      "paired cannot mix hidden layers: the model would be called with "
      "partners too. Mix inputs, or take partners from the batch."
    )
  return jax.tree.map(lambda x: _pairs(x)[:, 0], (inputs, targets))


def _swap(tree: PyTree) -> PyTree:
  """Puts the two rows of each pair in each other's place."""
  return jax.tree.map(lambda x: _pairs(x)[:, ::-1].reshape(x.shape), tree)


def _pairs(x: Array) -> Array:
  """Returns `[2 * batch, ...]` rows as `[batch, 2, ...]`."""
  return x.reshape(-1, 2, *x.shape[1:])
