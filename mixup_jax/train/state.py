"""The training state: arrays only."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

Array = jax.Array
PyTree = Any


class TrainState(NamedTuple):
  """The state of a run. Random streams are functions of `step`.

  Attributes:
    step: `[]` int32, the number of updates done.
    params: The parameters of the model.
    batch_stats: The running statistics of the model, `{}` if it has none.
    opt_state: The state of the optimiser.
    average: The moving average of `{"params", "batch_stats"}`, `{}` if the run
      keeps none.
  """

  step: Array
  params: PyTree
  batch_stats: PyTree
  opt_state: PyTree
  average: PyTree

  def variables(self) -> dict[str, PyTree]:
    """Returns the variables to evaluate: the average, if there is one."""
    return self.average or {
      "params": self.params,
      "batch_stats": self.batch_stats,
    }


def create(
  model: nn.Module,
  tx: optax.GradientTransformation,
  key: Array,
  inputs: PyTree,
  *,
  average: bool = False,
) -> TrainState:
  """Initialises a model and its optimiser.

  Args:
    model: The model.
    tx: The optimiser.
    key: A typed PRNG key, consumed.
    inputs: Example inputs of the model; only shapes and dtypes matter.
    average: Whether to keep a moving average of the weights.

  Returns:
    The state before the first step.
  """
  variables = model.init(key, inputs, train=False)
  variables = {"params": {}, "batch_stats": {}, **variables}
  params = variables["params"]
  return TrainState(
    step=jnp.zeros((), jnp.int32),
    params=params,
    batch_stats=variables["batch_stats"],
    opt_state=tx.init(params),
    # A copy: a donated state must not hold one buffer twice.
    average=jax.tree.map(jnp.copy, variables) if average else {},
  )
