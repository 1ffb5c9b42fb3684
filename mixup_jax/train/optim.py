"""Optimizers by name, as configs spell them, and learning-rate schedules."""

from typing import Any, Callable

import jax
import optax

# Which parameters a weight decay acts on: all, or only the kernels of linear
# layers and convolutions, which leaves out biases, the parameters of
# normalization and position embeddings.
DECAYED: dict[str, Callable[[str], bool]] = {
  "all": lambda name: True,
  "kernels": lambda name: name == "kernel",
}


def sgd(
  *,
  learning_rate: optax.ScalarOrSchedule,
  momentum: float = 0.0,
  nesterov: bool = False,
  weight_decay: float = 0.0,
  decayed: str = "all",
) -> optax.GradientTransformation:
  """Returns SGD in the form of PyTorch, with which the paper was run.

      g = gradient + weight_decay * w
      m = momentum * m + g
      w = w - learning_rate * m

  The decay is coupled: it passes through the momentum. By default it acts on
  every parameter, those of normalization and the biases too.

  Args:
    learning_rate: A number, or a function of the number of steps done.
    momentum: Share of the velocity that is kept.
    nesterov: Whether the gradient is looked up ahead.
    weight_decay: The factor of the L2 penalty, w^2 / 2.
    decayed: What it acts on, a key of `DECAYED`.

  Returns:
    The optax transformation.

  Raises:
    ValueError: If `decayed` is no such key.
  """
  return optax.chain(
    optax.add_decayed_weights(weight_decay, mask=_mask(decayed)),
    optax.sgd(learning_rate, momentum=momentum, nesterov=nesterov),
  )


def adamw(
  *,
  learning_rate: optax.ScalarOrSchedule,
  b1: float = 0.9,
  b2: float = 0.999,
  weight_decay: float = 0.0,
  decayed: str = "kernels",
) -> optax.GradientTransformation:
  """Returns Adam with decoupled weight decay.

      w = w - learning_rate * (adam(gradient) + weight_decay * w)

  Args:
    learning_rate: A number, or a function of the number of steps done.
    b1: Share of the mean of the gradients that is kept.
    b2: Share of the mean of their squares that is kept.
    weight_decay: The factor of the decay.
    decayed: What it acts on, a key of `DECAYED`.

  Returns:
    The optax transformation.

  Raises:
    ValueError: If `decayed` is no such key.

  References:
    Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019,
    algorithm 2.
  """
  return optax.adamw(
    learning_rate, b1, b2, weight_decay=weight_decay, mask=_mask(decayed)
  )


def _mask(decayed: str) -> Callable[[Any], Any]:
  """Returns a function from parameters to whether each of them is decayed."""
  if decayed not in DECAYED:
    raise ValueError(
      f"decayed must be one of {', '.join(DECAYED)}, got {decayed!r}: it names "
      "what the weight decay acts on."
    )

  def is_decayed(path: Any, _: jax.Array) -> bool:
    return DECAYED[decayed](jax.tree_util.keystr(path[-1:], simple=True))

  return lambda params: jax.tree.map_with_path(is_decayed, params)


OPTIMIZERS: dict[str, Callable[..., optax.GradientTransformation]] = {
  "adam": optax.adam,
  "adamw": adamw,
  "sgd": sgd,
}


def build(name: str, **settings: Any) -> optax.GradientTransformation:
  """Builds an optimizer by its name.

  Args:
    name: A key of `OPTIMIZERS`.
    **settings: Arguments of the function, such as `learning_rate`.

  Returns:
    The optax transformation.

  Raises:
    ValueError: If the name is unknown.
    TypeError: If the optimizer has no such setting.
  """
  if name not in OPTIMIZERS:
    raise ValueError(
      f"unknown optimizer {name!r}: choose one of {', '.join(OPTIMIZERS)}."
    )
  return OPTIMIZERS[name](**settings)


def accumulated(
  tx: optax.GradientTransformation, steps: int
) -> optax.GradientTransformation:
  """Returns an optimiser that updates once in several steps.

  Args:
    tx: The optimiser.
    steps: How many steps share an update, that of their mean gradient.
      BatchNorm and mixing see the batch of a step.

  Returns:
    The optax transformation; the optimiser itself for one step.

  Raises:
    ValueError: If `steps` is less than 1.
  """
  if steps < 1:
    raise ValueError(
      f"accumulation must be at least 1, got {steps}: "
      "1 updates the weights in each step."
    )
  if steps == 1:
    return tx
  several = optax.MultiSteps(tx, every_k_schedule=steps)
  return several.gradient_transformation()
