"""Max pooling whose gradient is fast on a CPU too."""

import functools
import itertools

import flax.linen as nn
import jax
from jax import lax
import jax.numpy as jnp

Array = jax.Array


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def max_pool(x: Array, size: int, stride: int, padding: int = 0) -> Array:
  """Takes the maxima of square windows.

  The gradient of a window goes to the first of its largest values, on every
  platform. On a CPU it is a sum over the places in a window, in a sixth to a
  fifteenth of the time of XLA's own, which visits one window after another. It
  has no derivative in forward mode.

  Args:
    x: `[batch, height, width, channels]` floats.
    size: The height and width of a window.
    stride: The distance of windows, in both directions.
    padding: The rows and columns of -inf on each side.

  Returns:
    `[batch, ceil((height + 2 * padding - size + 1) / stride), ..., channels]`
    maxima: windows that reach over the end are left out.

  Raises:
    ValueError: If no window fits, which would leave nothing to learn from.
  """
  return _maxima(x, size, stride, padding)


def _maxima(x: Array, size: int, stride: int, padding: int) -> Array:
  """Returns the maxima, with XLA's gradient."""
  height, width = x.shape[1:3]
  if min(height, width) + 2 * padding < size:
    raise ValueError(
      f"maps of {height} x {width} are smaller than a window of {size} x "
      f"{size} that is pooled: give the network larger images, or fewer stages."
    )
  pads = ((padding, padding),) * 2
  return nn.max_pool(x, (size, size), strides=(stride, stride), padding=pads)


def _forward(
  x: Array, size: int, stride: int, padding: int
) -> tuple[Array, Array]:
  return _maxima(x, size, stride, padding), x


def _backward(
  size: int, stride: int, padding: int, x: Array, grads: Array
) -> tuple[Array]:
  windows = (size, stride, padding)

  def with_xla(x: Array, grads: Array) -> Array:
    return jax.vjp(lambda x: _maxima(x, *windows), x)[1](grads)[0]

  by_place = functools.partial(_gradient_by_place, *windows)
  return (lax.platform_dependent(x, grads, cpu=by_place, default=with_xla),)


def _gradient_by_place(
  size: int, stride: int, padding: int, x: Array, grads: Array
) -> Array:
  """Returns the gradient, summed over the `size * size` places in a window."""
  sides = (padding, padding)
  x = jnp.pad(x, ((0, 0), sides, sides, (0, 0)), constant_values=-jnp.inf)
  ends = [stride * (count - 1) + 1 for count in grads.shape[1:3]]
  places = list(itertools.product(range(size), repeat=2))
  values = [
    x[:, i : i + ends[0] : stride, j : j + ends[1] : stride] for i, j in places
  ]
  largest = functools.reduce(jnp.maximum, values)
  taken = jnp.zeros(grads.shape, bool)
  total = jnp.zeros(x.shape, grads.dtype)
  for place, value in zip(places, values):
    is_first = (value == largest) & ~taken
    taken |= is_first
    # Each gradient back to where its value was, with zeros in between.
    gaps = [
      (start, length - start - end, stride - 1)
      for start, length, end in zip(place, x.shape[1:3], ends)
    ]
    part = jnp.where(is_first, grads, jnp.zeros((), grads.dtype))
    total += lax.pad(
      part, jnp.zeros((), grads.dtype), ((0, 0, 0), *gaps, (0, 0, 0))
    )
  height, width = x.shape[1] - padding, x.shape[2] - padding
  return total[:, padding:height, padding:width]


max_pool.defvjp(_forward, _backward)
