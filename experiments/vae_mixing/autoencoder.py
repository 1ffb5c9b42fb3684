"""Trains a VAE on inputs in memory, as a pure function."""

from typing import Any, Callable

import jax
import jax.numpy as jnp
import optax

from mixup_jax import models

Array = jax.Array
PyTree = Any


def train(vae: models.VAE, tx: optax.GradientTransformation, key: Array,
          inputs: Array, *, num_steps: int, batch_size: int) -> PyTree:
  """Trains a VAE from its first weights on.

  Args:
    vae: The model.
    tx: The optimiser.
    key: A typed PRNG key, consumed.
    inputs: `[rows, ...]`, the training inputs; rows are drawn independently.
    num_steps: How many steps.
    batch_size: Rows of a step.

  Returns:
    The parameters.
  """
  init_key, noise_key, step_key = jax.random.split(key, 3)
  params = vae.init(init_key, inputs[:1], noise_key)["params"]

  def step(carry: tuple[PyTree, PyTree],
           number: Array) -> tuple[tuple[PyTree, PyTree], None]:
    params, opt_state = carry
    # Clone: a new number each time is what makes one key enough.
    own = jax.random.fold_in(jax.random.clone(step_key), number)
    rows_key, code_key = jax.random.split(own)
    rows = jax.random.randint(rows_key, (batch_size,), 0, len(inputs))
    gradient = jax.grad(
        lambda params: -bound(vae, params, inputs[rows], code_key))(params)
    with jax.numpy_dtype_promotion("standard"):  # As optax needs it.
      updates, opt_state = tx.update(gradient, opt_state, params)
    return (optax.apply_updates(params, updates), opt_state), None

  (params, _), _ = jax.lax.scan(step, (params, tx.init(params)),
                                jnp.arange(num_steps))
  return params


def bound(vae: models.VAE, params: PyTree, inputs: Array, key: Array) -> Array:
  """Returns the mean evidence lower bound of inputs, in nats an input."""
  bounds: Any = vae.apply({"params": params}, inputs, key)
  return jnp.mean(bounds)


def coders(vae: models.VAE,
           params: PyTree) -> tuple[Callable[..., Any], Callable[..., Any]]:
  """Returns what encodes inputs, to the means of their codes, and decodes."""
  apply = lambda x, method: vae.apply({"params": params}, x, method=method)
  return lambda x: apply(x, "encode")[0], lambda codes: apply(codes, "decode")
