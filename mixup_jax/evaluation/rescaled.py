"""Rescaled predictions: back from where a mixup network was trained."""

from typing import Callable

import jax
import jax.numpy as jnp
import numpy as np
import scipy  # Its parts come as they are used: they are slow to import.

from mixup_jax import transforms

Array = jax.Array
Predict = Callable[[Array], Array]


def rescaled_predictions(
  predict: Predict,
  inputs: Array,
  *,
  alpha: float,
  mean_input: Array,
  mean_target: Array,
) -> Array:
  """Moves predictions of a mixup network back from where it was trained.

      p(x) = mean y + (q - mean y) / theta
      q    = softmax(f(mean x + theta (x - mean x)))

  On average, mixup shrinks inputs and targets towards their means over the
  training set by theta = E max(lam, 1 - lam), and adds noise: the network knows
  the shrunken inputs, and predicts shrunken targets.

  Args:
    predict: Takes `[batch, ...]` inputs; returns `[batch, classes]` logits.
    inputs: `[batch, ...]` floats.
    alpha: That of the training, lam ~ Beta(alpha, alpha).
    mean_input: `[...]`, the mean of the training inputs; broadcasts.
    mean_target: `[classes]`, the shares of the classes in the training set.

  Returns:
    `[batch, classes]` float32 probabilities: what falls below 0 is 0, and the
    sum is 1, which is our choice, as is to move probabilities and not logits.

  Raises:
    ValueError: If `alpha` is negative or NaN, or `mean_target` has not the
      classes of the predictions.
    TypeError: If `alpha` is not a number, or inputs are not floating point.

  References:
    Carratino et al., On Mixup Regularization, JMLR 2022, arXiv 2006.06049,
    theorem 1 and section 4.
  """
  theta = mean_larger_weight(alpha)
  mean_input = jnp.broadcast_to(jnp.asarray(mean_input), inputs.shape)
  shrunk = transforms.interpolate(
    inputs, mean_input.astype(inputs.dtype), theta
  )
  found = jax.nn.softmax(predict(shrunk).astype(jnp.float32))
  mean_target = jnp.asarray(mean_target, jnp.float32)
  if mean_target.shape != found.shape[1:]:
    raise ValueError(
      f"mean_target must be one share a class, got the shape "
      f"{mean_target.shape} for predictions of shape {found.shape}."
    )
  moved = mean_target[None] + (found - mean_target[None]) / theta
  moved = jnp.maximum(moved, 0)
  return moved / moved.sum(axis=-1, keepdims=True)


def mean_larger_weight(alpha: float) -> float:
  """Returns the mean of max(lam, 1 - lam) for lam ~ Beta(alpha, alpha).

      theta = 1/2 + 1 / (alpha 4^alpha B(alpha, alpha))

  Args:
    alpha: The concentration; 0 gives 1, infinity 1/2.

  Returns:
    The mean, such as 0.75 for the uniform distribution.

  Raises:
    TypeError: If `alpha` is not a number.
    ValueError: If `alpha` is negative or NaN.
  """
  transforms.check_alpha(alpha)
  if alpha == 0 or alpha == np.inf:
    return 1.0 if alpha == 0 else 0.5
  log = np.log(alpha) + alpha * np.log(4) + scipy.special.betaln(alpha, alpha)
  return float(0.5 + np.exp(-log))
