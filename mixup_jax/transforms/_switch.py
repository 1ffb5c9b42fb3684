"""Chooses one of several transforms for each batch."""

import functools
from typing import Any, Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _protocol

Array = jax.Array
PyTree = Any


def switch(
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  transforms: Sequence[_protocol.Transform],
  probabilities: Sequence[float] | Array | None = None,
  where: Array | None = None,
  enabled: jax.typing.ArrayLike = True,
) -> tuple[PyTree, PyTree]:
  """Applies one of several transforms, drawn per batch; only that one runs.

      switch(key, images, labels,
             transforms=(partial(mixup, alpha=0.8), partial(cutmix, alpha=1.0)))

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` arrays.
    targets: Any tree of `[batch, ...]` arrays.
    transforms: Transforms, or plain functions `(key, inputs, targets) ->
      (inputs, targets)`, that return the same structure, shapes and dtypes.
    probabilities: One number per transform, summing to 1; equal by default. May
      be traced.
    where: `[batch]` booleans, False for padding; passed to the transform.
    enabled: Whether the drawn transform is on. May be traced.

  Returns:
    The inputs and targets that the drawn transform returns.

  Raises:
    ValueError: If there are no transforms, or the probabilities do not match
      them, are negative or do not sum to 1.
    TypeError: If the transforms return different structures, or a leaf of the
      batch holds no numbers.
  """
  _checks.check_numbers(inputs=inputs, targets=targets)
  count = len(transforms)
  if count == 0:
    raise ValueError("transforms is empty: name at least one.")
  if probabilities is None:
    probabilities = (1 / count,) * count
  if not isinstance(probabilities, jax.Array):
    _check_probabilities(probabilities, count)
  switch_key, *keys = jax.random.split(key, 1 + count)
  chosen = jax.random.choice(
    switch_key, count, p=jnp.asarray(probabilities, jnp.float32)
  )
  # One key each: under vmap all branches run, and would share a key.
  branches = [
    _branch(
      functools.partial(
        _protocol.as_transform(f), where=where, enabled=enabled
      ),
      k,
    )
    for f, k in zip(transforms, keys)
  ]
  return jax.lax.switch(chosen, branches, inputs, targets)


def _branch(
  transform: Callable[..., tuple[PyTree, PyTree]], key: Array
) -> Callable[[PyTree, PyTree], tuple[PyTree, PyTree]]:
  """Returns the transform of one branch, with its key.

  Under vmap each branch also selects among the operands of the others, which
  `jax_debug_key_reuse` reports of keys, and not of their data.
  """
  data, impl = jax.random.key_data(key), jax.random.key_impl(key)

  def branch(inputs: PyTree, targets: PyTree) -> tuple[PyTree, PyTree]:
    return transform(jax.random.wrap_key_data(data, impl=impl), inputs, targets)

  return branch


def _check_probabilities(probabilities: Sequence[float], count: int) -> None:
  """Raises unless there is one probability per transform, summing to 1."""
  values = np.asarray(probabilities, np.float64)
  if (
    values.shape != (count,)
    or np.any(values < 0)
    or not np.isclose(values.sum(), 1)
  ):
    raise ValueError(
      f"probabilities {tuple(probabilities)} must be {count} "
      "numbers from 0 to 1 that sum to 1, one per transform."
    )
