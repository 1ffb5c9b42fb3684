"""Learning rates over the steps, by name, as the configs spell them."""

from typing import Sequence

import jax.numpy as jnp
import optax


def make_schedule(
  name: str,
  learning_rate: float,
  *,
  epochs: float,
  steps_per_epoch: float,
  decay_epochs: Sequence[float] = (),
  decay_factor: float = 1.0,
  warmup_epochs: float = 0.0,
  warmup_from: float = 0.0,
) -> optax.Schedule:
  """Returns the learning rate of a config over the steps.

  Args:
    name: "step", which drops after `decay_epochs`, or "cosine", which falls
      from the end of the warm-up to 0 along half a cosine.
    learning_rate: The rate of the first step, or of that after the warm-up.
    epochs: The number of epochs of training, warm-up included.
    steps_per_epoch: The number of updates in one of them.
    decay_epochs: Of "step": the epochs after which the rate drops, rising.
    decay_factor: Of "step": what it is multiplied by at each of them.
    warmup_epochs: The epochs in which it rises linearly to `learning_rate`.
    warmup_from: The rate of the first of these steps.

  Returns:
    A function of the number of steps done.

  Raises:
    ValueError: If there is no such schedule, the drops do not rise, or the
      warm-up leaves no steps for the rest.

  References:
    Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5: the cosine, once.
  """

  def at(epoch: float) -> int:
    return round(epoch * steps_per_epoch)

  if name not in ("step", "cosine"):
    raise ValueError(f"unknown schedule {name!r}: choose one of step, cosine.")
  if not at(warmup_epochs) < at(epochs):
    raise ValueError(
      f"a warm-up of {warmup_epochs:g} epochs leaves none of {epochs:g} for "
      f"{name}: shorten config.warmup_epochs, or train longer."
    )
  if name == "step":
    return step_decay(
      learning_rate,
      steps=[at(epoch) for epoch in decay_epochs],
      factor=decay_factor,
      warmup_steps=at(warmup_epochs),
      warmup_from=warmup_from,
    )
  return optax.warmup_cosine_decay_schedule(
    warmup_from, learning_rate, at(warmup_epochs), at(epochs)
  )


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
    factor: What it is multiplied by at each of them.
    warmup_steps: The number of steps in which it rises linearly to
      `learning_rate`.
    warmup_from: The rate of the first of these.

  Returns:
    A function of the number of steps done.

  Raises:
    ValueError: If the steps do not rise.
  """
  if list(steps) != sorted(set(steps)):
    raise ValueError(
      f"the learning rate drops at steps {tuple(steps)}, which do not rise: "
      "put them in order, each once."
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
