"""The other vicinities that the paper compares mixup with."""

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _ids
from mixup_jax.transforms import _interpolate
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


def gaussian_noise(
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  sigma: jax.typing.ArrayLike,
  where: Array | None = None,
  enabled: jax.typing.ArrayLike = True,
) -> tuple[PyTree, PyTree]:
  """Adds independent Gaussian noise to the inputs.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` floating-point arrays.
    targets: Any tree, returned unchanged.
    sigma: Standard deviation of the noise, in units of the (normalised) inputs.
    where: Unused: the noise of each example is independent of the others.
    enabled: Whether to add noise. May be traced.

  Returns:
    The noisy inputs, in their own dtypes, and the targets.

  Raises:
    TypeError: If inputs are not floating point.
    ValueError: If `sigma` is negative.

  References:
    Chapelle et al., Vicinal risk minimization, NIPS 2000; Zhang et al., ICLR
    2018, section 3.8.
  """
  del where
  _checks.check_range("sigma", sigma, advice="0 adds no noise")
  sigma = jnp.where(enabled, sigma, 0.0)
  _checks.check_numbers(inputs=inputs)
  leaves, structure = jax.tree_util.tree_flatten_with_path(inputs)
  keys = jax.random.split(key, len(leaves))

  def add_noise(k: Array, path: Any, x: Any) -> Array:
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
      raise TypeError(
        f"cannot add noise to {x.dtype.name} inputs of shape {x.shape}"
        f"{_checks.at(path)}: convert them to floats first, and keep "
        "ids and masks out of them."
      )
    noise = sigma * jax.random.normal(k, x.shape, jnp.float32)
    return (x.astype(jnp.float32) + noise).astype(x.dtype)

  noisy = [add_noise(k, *leaf) for k, leaf in zip(keys, leaves)]
  return jax.tree.unflatten(structure, noisy), targets


def label_smoothing(
  key: Array,
  inputs: PyTree,
  targets: Array,
  *,
  epsilon: jax.typing.ArrayLike,
  num_classes: int,
  where: Array | None = None,
  enabled: jax.typing.ArrayLike = True,
) -> tuple[PyTree, Array]:
  """Moves a share epsilon of each label to the uniform distribution.

      targets = (1 - epsilon) * targets + epsilon / num_classes

  Args:
    key: Unused; every transform takes one.
    inputs: Any tree, returned unchanged.
    targets: `[batch, ...]` integer class ids, `[batch, ..., num_classes]`
      floats, or `MixedLabels`.
    epsilon: The share, in [0, 1].
    num_classes: The number of classes.
    where: Unused: each label is smoothed on its own.
    enabled: Whether to smooth; targets become floats either way. May be traced.

  Returns:
    The inputs, and `[batch, ..., num_classes]` soft targets: float32, or the
    floating-point dtype of the targets.

  Raises:
    TypeError: If targets are no array, but a tree of several.
    ValueError: If `epsilon` is not in [0, 1], or `num_classes` not the last
      axis of the targets, or there are fewer than 2.

  References:
    Szegedy et al., CVPR 2016, section 7; Zhang et al., ICLR 2018, section 3.8.
  """
  del key, where
  _checks.check_range("epsilon", epsilon, high=1, advice="0 smooths nothing")
  epsilon = jnp.where(enabled, epsilon, 0.0)
  if isinstance(targets, _interpolate.MixedLabels):
    targets = targets.soft(num_classes)
  _checks.check_array("targets", targets)
  if jnp.issubdtype(targets.dtype, jnp.integer):
    targets = _ids.one_hot(targets, num_classes)
  elif targets.shape[-1] != num_classes:
    raise ValueError(
      f"targets of shape {targets.shape} have {targets.shape[-1]} classes, got "
      f"num_classes={num_classes}: give the number of their last axis."
    )
  uniform = jnp.full_like(targets, 1 / num_classes)
  return inputs, _interpolate.interpolate(targets, uniform, 1 - epsilon)


def inputs_only(
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  *,
  alpha: jax.typing.ArrayLike,
  **options: Unpack[_plan.MixOptions],
) -> tuple[PyTree, PyTree]:
  """Mixes the inputs, and keeps the hard target of the nearer example.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` floating-point arrays.
    targets: Any tree of `[batch, ...]` arrays of any dtype.
    alpha: Concentration of lam ~ Beta(alpha, alpha); 0 is ERM. May be traced.
    **options: As in `sample_mix`.

  Returns:
    The mixed inputs, and the targets: those of the example where lam >= 1/2,
    those of its partner elsewhere.

  Raises:
    TypeError: If inputs are not floating point, or `alpha` is not a number.
    ValueError: If leading axes differ, the batch has fewer than two examples,
      or `alpha` is negative.

  References:
    Zhang et al., ICLR 2018, section 3.8, "mix inputs only"; with neighbours of
    the same class as partners, close to SMOTE.
  """
  size = _checks.batch_size(inputs=inputs, targets=targets)
  mix = _plan.sample_mix(key, size, alpha=alpha, **options)

  def nearer(x: Array, partner_x: Array) -> Array:
    own = mix.lam >= 0.5
    return jnp.where(
      own.reshape(own.shape + (1,) * (x.ndim - own.ndim)), x, partner_x
    )

  partner_targets = _plan.partner_rows(targets, mix.partner)
  return _interpolate.mix_pairs(inputs, mix), jax.tree.map(
    nearer, targets, partner_targets
  )


def inputs_with_smoothing(
  key: Array,
  inputs: PyTree,
  targets: Array,
  *,
  alpha: jax.typing.ArrayLike,
  epsilon: jax.typing.ArrayLike,
  num_classes: int,
  **options: Unpack[_plan.MixOptions],
) -> tuple[PyTree, Array]:
  """Mixes the inputs, and smooths the label of the nearer example.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` floating-point arrays.
    targets: `[batch, ...]` integer class ids, or `[batch, ..., num_classes]`
      floats.
    alpha: Concentration of lam ~ Beta(alpha, alpha); 0 is ERM. May be traced.
    epsilon: The share of the label moved to the uniform distribution.
    num_classes: The number of classes.
    **options: As in `sample_mix`. If `enabled` is False, targets are one-hot.

  Returns:
    The mixed inputs, and `[batch, ..., num_classes]` soft targets.

  Raises:
    TypeError: If inputs are not floating point, or `alpha` is not a number.
    ValueError: If leading axes differ, the batch has fewer than two examples,
      `alpha` is negative, or `epsilon` is not in [0, 1].

  References:
    Zhang et al., ICLR 2018, section 3.8, "mix inputs + label smoothing".
  """
  mix_key, smoothing_key = jax.random.split(key)
  inputs, targets = inputs_only(
    mix_key, inputs, targets, alpha=alpha, **options
  )
  return label_smoothing(
    smoothing_key,
    inputs,
    targets,
    epsilon=epsilon,
    num_classes=num_classes,
    enabled=options.get("enabled", True),
  )
