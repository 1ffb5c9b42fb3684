"""Optimisers by name, as the configs spell them, and their schedules."""

from typing import Any, Callable, Sequence

import jax
import jax.numpy as jnp
import optax

# Which parameters a weight decay acts on: all of them, or only those with more
# than one axis, which leaves out biases and the parameters of normalisation.
DECAYED: dict[str, Callable[[Any], bool]] = {
  "all": lambda x: True,
  "kernels": lambda x: x.ndim > 1,
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

  The decay is coupled: it goes through the momentum, and, if nothing else is
  said, acts on every parameter, those of normalisation and the biases too.

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
  if decayed not in DECAYED:
    raise ValueError(
      f"decayed must be one of {', '.join(DECAYED)}, got "
      f"{decayed!r}: it says what the weight decay acts on."
    )

  def is_decayed(params: Any) -> Any:
    return jax.tree.map(DECAYED[decayed], params)

  return optax.chain(
    optax.add_decayed_weights(weight_decay, mask=is_decayed),
    optax.sgd(learning_rate, momentum=momentum, nesterov=nesterov),
  )


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


def step_decay(
  learning_rate: float,
  *,
  steps: Sequence[int],
  factor: float,
  warmup_steps: int = 0,
  warmup_from: float = 0.0,
) -> optax.Schedule:
  """Returns a learning rate that drops at given steps.

  Args:
    learning_rate: The rate of the first step, or of that after the warm-up.
    steps: The numbers of steps after which it drops, rising.
    factor: By what it is multiplied at each of them.
    warmup_steps: The number of steps in which it rises, in a line, to
      `learning_rate`.
    warmup_from: The rate of the first of these.

  Returns:
    A function of the number of steps done.

  Raises:
    ValueError: If the steps do not rise.
  """
  if list(steps) != sorted(set(steps)):
    raise ValueError(
      f"the learning rate drops at steps {tuple(steps)}, which "
      "do not rise: put them in order, each once."
    )
  constant = optax.piecewise_constant_schedule(
    learning_rate, {step: factor for step in steps}
  )
  if not warmup_steps:
    return constant
  rising = optax.linear_schedule(warmup_from, learning_rate, warmup_steps)
  return lambda step: jnp.where(
    step < warmup_steps, rising(step), constant(step)
  )
