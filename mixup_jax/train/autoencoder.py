"""The network of a variational autoencoder, for runs of many seeds."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from mixup_jax.models import vae
from mixup_jax.train import rngs
from mixup_jax.train import state as states
from mixup_jax.train import step as steps
from mixup_jax.train import trial

Array = jax.Array
PyTree = Any


def network(model: vae.VAE, tx: optax.GradientTransformation) -> trial.Network:
  """Makes the network of an autoencoder, which learns without labels.

  It measures `elbo`, the bound on log p(x) in nats; `residual`, the squared
  error of the reconstruction; and `power`, that of zeros. The codes of a step
  are drawn from the stream "dropout", those of a measurement from the key of
  the step that would come next.

  Args:
    model: The autoencoder.
    tx: The optimiser.

  Returns:
    The network.
  """

  def init(key: Array, inputs: Array) -> states.TrainState:
    init_key, code_key = jax.random.split(key)
    params = model.init(init_key, inputs, code_key)["params"]
    return states.TrainState(jnp.int32(0), params, {}, tx.init(params), {})

  def step(
    root: Array, state: states.TrainState, batch: steps.Batch
  ) -> tuple[states.TrainState, Array]:
    key = rngs.stream(root, "dropout", state.step)

    def loss(params: PyTree) -> Array:
      bound: Any = model.apply({"params": params}, batch["inputs"], key)
      return -jnp.mean(bound, where=batch["where"])

    value, grads = jax.value_and_grad(loss)(state.params)
    # Adam of optax raises a float to an integer power.
    with jax.numpy_dtype_promotion("standard"):
      deltas, opt_state = tx.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, deltas)
    return state._replace(
      step=state.step + 1, params=params, opt_state=opt_state
    ), value

  def measure(
    root: Array, state: states.TrainState, batch: steps.Batch
  ) -> dict[str, Array]:
    inputs, variables = batch["inputs"], {"params": state.params}
    bound: Any = model.apply(
      variables, inputs, rngs.stream(root, "dropout", state.step)
    )
    decoded: Any = model.apply(variables, inputs, method="reconstruct")

    def square(x: Array) -> Array:
      return (x**2).reshape(len(x), -1).sum(1)

    return {
      "elbo": bound,
      "residual": square(inputs - decoded),
      "power": square(inputs),
    }

  return trial.Network(init, step, measure)
