"""The protocol of transforms, and an adapter for plain functions."""

import functools
import inspect
from typing import Any, Callable, Protocol

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _ids
from mixup_jax.transforms._interpolate import MixedLabels

Array = jax.Array
PyTree = Any

_NOT_SWITCHED = (
  "a transform without the option `enabled` cannot be switched: it returned {} "
  "for {}. Add the option, or mix in every epoch."
)


class Transform(Protocol):
  """A pure function that draws a batch from the vicinity of a batch.

  `where` holds `[batch]` booleans, False for padding, which must never mix into
  an example. If `enabled` is False, the transform returns the examples
  unchanged; it may be traced, so that a schedule does not recompile. Under
  `jit`, shapes and dtypes are the same either way.

  A transform with a keyword `normalize` receives raw inputs, such as bytes, and
  the function that converts them to floats.
  """

  def __call__(
    self,
    key: Array,
    inputs: PyTree,
    targets: PyTree,
    /,
    *,
    where: Array | None = None,
    enabled: jax.typing.ArrayLike = True,
  ) -> tuple[PyTree, PyTree]: ...


def as_transform(function: Callable[..., Any]) -> Transform:
  """Adapts any function `(key, inputs, targets)` to `Transform`.

  A function with the keywords `where` and `enabled` is returned unchanged;
  `**options` counts as both. Otherwise the transform supplies the missing ones:
  it replaces padding by copies of valid examples before the call, and, if
  `enabled` is False, the results by the examples.

  Args:
    function: Takes `(key, inputs, targets)` and any keyword options.

  Returns:
    The transform. It raises a TypeError at trace time if `enabled` is traced
    and the examples cannot replace the results. Both must have the same
    structure, shapes and dtypes, except that class ids may become `MixedLabels`
    or one float per class.
  """
  has_where, has_enabled = (takes(function, x) for x in ("where", "enabled"))
  if has_where and has_enabled:
    return function

  def transform(
    key: Array,
    inputs: PyTree,
    targets: PyTree,
    /,
    *,
    where: Array | None = None,
    enabled: jax.typing.ArrayLike = True,
  ) -> tuple[PyTree, PyTree]:
    options: dict[str, Any] = {}
    if has_enabled:
      options["enabled"] = enabled
    if where is not None and has_where:
      options["where"] = where
    given = inputs, targets
    if where is not None and not has_where:
      given = _without_padding(*given, where)
    made = function(key, *given, **options)
    if has_enabled or enabled is True:
      return made
    return tuple(_select(enabled, *pair) for pair in zip(made, given))

  return transform


def takes(function: Callable[..., Any], option: str) -> bool:
  """Returns whether a function takes an option by keyword.

  Args:
    function: The function, or a `functools.partial` of it.
    option: The name. `normalize` must be declared: `**options` does not count.

  Returns:
    True if it does.
  """
  parameters = inspect.signature(function).parameters
  if option in parameters:
    return parameters[option].kind is not inspect.Parameter.POSITIONAL_ONLY
  kinds = [parameter.kind for parameter in parameters.values()]
  return option != "normalize" and inspect.Parameter.VAR_KEYWORD in kinds


def _without_padding(
  inputs: PyTree, targets: PyTree, where: Array
) -> tuple[PyTree, PyTree]:
  """Replaces padding by valid examples, cycling through them."""
  size = _checks.batch_size(inputs=inputs, targets=targets)
  _checks.check_where(where, size)
  valid_first = jnp.argsort(~where, stable=True).astype(jnp.int32)
  rows = jnp.arange(size, dtype=jnp.int32)
  count = jnp.maximum(where.sum(dtype=jnp.int32), 1)
  rank = jnp.cumsum((~where).astype(jnp.int32)) - 1
  source = jnp.where(where, rows, valid_first[rank % count])
  return jax.tree.map(lambda x: jnp.asarray(x)[source], (inputs, targets))


def _select(
  enabled: jax.typing.ArrayLike, made: PyTree, given: PyTree
) -> PyTree:
  """Returns the results if enabled, else the examples."""
  select = functools.partial(_select_leaf, enabled)
  try:
    return jax.tree.map(
      select, made, given, is_leaf=lambda x: isinstance(x, MixedLabels)
    )
  except ValueError as error:
    shapes = jax.tree.structure(made), jax.tree.structure(given)
    raise TypeError(_NOT_SWITCHED.format(*shapes)) from error


def _select_leaf(
  enabled: jax.typing.ArrayLike, made: Any, given: Array
) -> Array | MixedLabels:
  """Selects one leaf; class ids whose results are floats become one-hot."""
  if isinstance(made, MixedLabels):
    partners = jnp.where(enabled, made.partner_labels, given)
    labels = jnp.where(enabled, made.labels, given)
    return MixedLabels(labels, partners, jnp.where(enabled, made.lam, 1))
  made, given = jnp.asarray(made), jnp.asarray(given)
  is_soft = made.ndim == given.ndim + 1 and jnp.issubdtype(
    made.dtype, jnp.floating
  )
  if is_soft and jnp.issubdtype(given.dtype, jnp.integer):
    given = _ids.one_hot(given, made.shape[-1], dtype=made.dtype)
  if made.shape != given.shape or made.dtype != given.dtype:
    raise TypeError(_NOT_SWITCHED.format(made.aval, given.aval))
  return jnp.where(enabled, made, given)
