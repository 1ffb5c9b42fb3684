"""The programs that train the autoencoder, and classifiers with its codes."""

import functools
from typing import Any, Callable

import jax
import jax.numpy as jnp
import optax

from experiments.vae_mixing import methods
from experiments.vae_mixing import seeds
from mixup_jax import losses
from mixup_jax import models
from mixup_jax.models import vae
from mixup_jax.train import optim
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Array = jax.Array
PyTree = Any


def classifier(
  config: Any, name: str, encoder: vae.VAE, num_classes: int
) -> seeds.Program:
  """Makes the program of a method; what it is given are parameters of the VAE.

  Args:
    config: The config.
    name: A key of `METHODS`.
    encoder: The autoencoder.
    num_classes: The number of classes.

  Returns:
    The program.

  Raises:
    ValueError: If there is no such model, or it cannot have such a size.
    TypeError: If the model has no such field.
  """
  model = models.build(num_classes=num_classes, **config.model)
  tx = optim.build("adam", learning_rate=config.learning_rate)

  def step(
    key: Array, given: PyTree, state: states.TrainState, batch: seeds.Batch
  ) -> tuple[states.TrainState, Array]:
    one = steps.make_train_step(
      model,
      tx,
      losses.cross_entropy,
      root_key=key,
      prepare=lambda key, batch: (batch["inputs"], batch["labels"]),
      **methods.mixing(config, name, encoder, given),
    )
    state, metrics = one(state, batch)
    return state, metrics["loss"]

  def measure(
    key: Array, state: states.TrainState, batch: seeds.Batch
  ) -> dict[str, Array]:
    del key
    logits: Any = model.apply(state.variables(), batch["inputs"], train=False)
    return {"error": 100 * losses.zero_one(logits, batch["labels"])}

  begin = functools.partial(states.create, model, tx)
  return seeds.make_program(begin, step, measure)


def autoencoder(config: Any, encoder: vae.VAE) -> seeds.Program:
  """Makes the program that trains the autoencoder, without labels.

  Args:
    config: The config; of it `learning_rate` counts.
    encoder: The autoencoder.

  Returns:
    The program. It measures the bound on log p(x) in nats, the squared error of
    the reconstruction, and that of zeros.
  """
  tx = optim.build("adam", learning_rate=config.learning_rate)

  def begin(key: Array, inputs: Array) -> states.TrainState:
    init_key, code_key = jax.random.split(key)
    params = encoder.init(init_key, inputs, code_key)["params"]
    return states.TrainState(jnp.int32(0), params, {}, tx.init(params), {})

  def step(
    key: Array, given: PyTree, state: states.TrainState, batch: seeds.Batch
  ) -> tuple[states.TrainState, Array]:
    del given
    key = jax.random.fold_in(jax.random.clone(key), state.step)

    def loss(params: PyTree) -> Array:
      bound: Any = encoder.apply({"params": params}, batch["inputs"], key)
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
    key: Array, state: states.TrainState, batch: seeds.Batch
  ) -> dict[str, Array]:
    call: Callable[..., Any] = functools.partial(
      encoder.apply, {"params": state.params}
    )
    left = batch["inputs"] - call(batch["inputs"], method="reconstruct")

    def total(x: Array) -> Array:
      return (x**2).reshape(len(x), -1).sum(1)

    return {
      "elbo": call(batch["inputs"], key),
      "left": total(left),
      "whole": total(batch["inputs"]),
    }

  return seeds.make_program(begin, step, measure)
