"""Adversarial examples: small steps in pixels that raise the loss.

Pixels are floats from 0 to 255, and so are epsilon and the size of a step,
whatever a network does with them: the loss function normalises.

    loss_fn = lambda pixels, labels: losses.cross_entropy(
        model.apply(variables, normalize(pixels), train=False), labels)
    adversarial = attacks.fgsm(loss_fn, pixels, labels, epsilon=4.0)
"""

from typing import Callable

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array
LossFn = Callable[[Array, Array], Array]

_LOWEST, _HIGHEST = 0.0, 255.0


def fgsm(
  loss_fn: LossFn,
  inputs: Array,
  labels: Array,
  *,
  epsilon: jax.typing.ArrayLike,
  clip: bool = True,
) -> Array:
  """Moves every pixel by epsilon in the direction that raises the loss.

  Args:
    loss_fn: Takes pixels and labels, returns `[batch]` losses.
    inputs: `[batch, ...]` float32 pixels from 0 to 255.
    labels: `[batch, ...]`, whatever the loss takes.
    epsilon: The size of the step, in pixel units. May be traced.
    clip: Whether the result is brought back to 0 to 255.

  Returns:
    The adversarial examples, `[batch, ...]` in the dtype of the inputs.

  Raises:
    TypeError: If the inputs are not float32 (or float64).
    ValueError: If epsilon is negative.

  References:
    Goodfellow et al., Explaining and harnessing adversarial examples, ICLR
    2015; Zhang et al., ICLR 2018, section 3.5.
  """
  return iterated_fgsm(
    loss_fn,
    inputs,
    labels,
    epsilon=epsilon,
    num_steps=1,
    clip=clip,
    unroll=True,
  )


def iterated_fgsm(
  loss_fn: LossFn,
  inputs: Array,
  labels: Array,
  *,
  epsilon: jax.typing.ArrayLike,
  num_steps: int = 10,
  step_size: jax.typing.ArrayLike | None = None,
  start: Array | None = None,
  clip: bool = True,
  unroll: bool = False,
) -> Array:
  """Takes several steps of FGSM, inside a ball around the inputs.

  From `random_start` and with more steps it is projected gradient descent.

  Args:
    loss_fn: Takes pixels and labels, returns `[batch]` losses.
    inputs: `[batch, ...]` float32 pixels from 0 to 255.
    labels: `[batch, ...]`, whatever the loss takes.
    epsilon: How far a pixel may move in all, in pixel units. May be traced.
    num_steps: The number of steps; each takes one gradient.
    step_size: The size of a step, in pixel units; by default epsilon /
      num_steps, with which no step leaves the ball.
    start: `[batch, ...]` pixels to start from instead of the inputs.
    clip: Whether every step is brought back to 0 to 255.
    unroll: Whether to compile each step for itself. A loop around the gradient
      of a convolution is many times slower on a CPU.

  Returns:
    The adversarial examples, `[batch, ...]` in the dtype of the inputs.

  Raises:
    TypeError: If the inputs are not float32 (or float64).
    ValueError: If epsilon or the size of a step is negative, or there is no
      step.

  References:
    Kurakin et al., Adversarial machine learning at scale, ICLR 2017; Madry et
    al., Towards deep learning models resistant to adversarial attacks, ICLR
    2018; Zhang et al., ICLR 2018, section 3.5: 10 steps of equal size.
  """
  _check(inputs, epsilon=epsilon, step_size=step_size)
  if num_steps < 1:
    raise ValueError(f"num_steps must be at least 1, got {num_steps}.")
  if step_size is None:
    step_size = epsilon / num_steps
  # Of the sum, the gradient by an image is that of its own loss.
  gradient = jax.grad(lambda x: loss_fn(x, labels).sum())

  def step(x: Array, _: None) -> tuple[Array, None]:
    x = x + jnp.asarray(step_size, x.dtype) * jnp.sign(gradient(x))
    return _project(x, inputs, epsilon, clip), None

  x = inputs if start is None else start
  return jax.lax.scan(step, x, length=num_steps, unroll=unroll)[0]


def random_start(
  key: Array, inputs: Array, *, epsilon: jax.typing.ArrayLike, clip: bool = True
) -> Array:
  """Draws a point of the ball around each input, to start an attack from.

  Args:
    key: A typed PRNG key, consumed.
    inputs: `[batch, ...]` float32 pixels from 0 to 255.
    epsilon: How far a pixel may move, in pixel units. May be traced.
    clip: Whether the result is brought back to 0 to 255.

  Returns:
    `[batch, ...]` pixels in the dtype of the inputs.

  Raises:
    TypeError: If the inputs are not float32 (or float64).
    ValueError: If epsilon is negative.

  References:
    Madry et al., Towards deep learning models resistant to adversarial attacks,
    ICLR 2018, section 2.1.
  """
  _check(inputs, epsilon=epsilon)
  noise = jax.random.uniform(key, inputs.shape, inputs.dtype, -1, 1)
  moved = inputs + jnp.asarray(epsilon, inputs.dtype) * noise
  return _project(moved, inputs, epsilon, clip)


def _project(
  x: Array, inputs: Array, epsilon: jax.typing.ArrayLike, clip: bool
) -> Array:
  """Returns the nearest point in the ball, and among valid pixels."""
  radius = jnp.asarray(epsilon, x.dtype)
  x = jnp.clip(x, inputs - radius, inputs + radius)
  return jnp.clip(x, _LOWEST, _HIGHEST) if clip else x


def _check(inputs: Array, **sizes: jax.typing.ArrayLike | None) -> None:
  """Raises for inputs that cannot be moved, and sizes that are known wrong."""
  # 16 bits round a step of half a pixel away.
  if inputs.dtype not in (jnp.float32, jnp.float64):
    raise TypeError(
      f"cannot move {inputs.dtype.name} pixels of shape "
      f"{inputs.shape} by small steps: convert them to float32, "
      "from 0 to 255, first."
    )
  for name, size in sizes.items():
    if size is None or isinstance(size, jax.core.Tracer):
      continue
    if np.less(size, 0).any():
      raise ValueError(
        f"{name} must be at least 0, got {size}: it is how far a "
        "pixel of 0 to 255 may move."
      )
