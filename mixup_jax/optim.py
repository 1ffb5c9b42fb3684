"""Optimisers by name, as the configs spell them, and their schedules."""

from typing import Any, Callable, Sequence

import optax


def sgd(*,
        learning_rate: optax.ScalarOrSchedule,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0) -> optax.GradientTransformation:
  """Returns SGD in the form of PyTorch, with which the paper was run.

      g = gradient + weight_decay * w
      m = momentum * m + g
      w = w - learning_rate * m

  The decay is coupled: it goes through the momentum, and it acts on every
  parameter, those of normalisation and the biases too.

  Args:
    learning_rate: A number, or a function of the number of steps done.
    momentum: Share of the velocity that is kept.
    nesterov: Whether the gradient is looked up ahead.
    weight_decay: The factor of the L2 penalty, w^2 / 2.

  Returns:
    The optax transformation.
  """
  return optax.chain(
      optax.add_decayed_weights(weight_decay),
      optax.sgd(learning_rate, momentum=momentum, nesterov=nesterov))


OPTIMIZERS: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adam": optax.adam,
    "sgd": sgd,
}


def build(name: str, **settings: Any) -> optax.GradientTransformation:
  """Builds an optimiser by its name.

  Args:
    name: A key of `OPTIMIZERS`.
    **settings: Arguments of the function, such as `learning_rate`.

  Returns:
    The optax transformation.

  Raises:
    ValueError: If the name is unknown.
    TypeError: If the optimiser has no such setting.
  """
  if name not in OPTIMIZERS:
    raise ValueError(f"unknown optimizer {name!r}: choose one of "
                     f"{', '.join(OPTIMIZERS)}.")
  return OPTIMIZERS[name](**settings)


def step_decay(learning_rate: float, *, steps: Sequence[int],
               factor: float) -> optax.Schedule:
  """Returns a learning rate that drops at given steps.

  Args:
    learning_rate: The rate of the first step.
    steps: The numbers of steps after which it drops, rising.
    factor: By what it is multiplied at each of them.

  Returns:
    A function of the number of steps done.

  Raises:
    ValueError: If the steps do not rise.
  """
  if list(steps) != sorted(set(steps)):
    raise ValueError(f"the learning rate drops at steps {tuple(steps)}, which "
                     "do not rise: put them in order, each once.")
  return optax.piecewise_constant_schedule(learning_rate,
                                           {step: factor for step in steps})
