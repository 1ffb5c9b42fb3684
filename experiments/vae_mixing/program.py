"""A VAE and a classifier for each method, as one function of a seed."""

from typing import Any, Callable

import jax
import jax.numpy as jnp
import optax

from experiments.vae_mixing import autoencoder
from experiments.vae_mixing import methods
from mixup_jax import losses
from mixup_jax import models
from mixup_jax import state as states
from mixup_jax import steps
from mixup_jax.data import resident
from mixup_jax.data import splits

Array = jax.Array

NUM_PAIRS = 3  # That are shown mixed, at these weights of the first.
LAMS = (1.0, 0.75, 0.5, 0.25, 0.0)


def make_run(config: Any, *, num_features: int, num_classes: int,
             tx: optax.GradientTransformation) -> Callable[..., dict[str, Any]]:
  """Makes a whole run as one function, for `sweep.make_program`.

  The VAE is trained on the training inputs alone. All classifiers of a seed
  start from the same weights, and see the same rows in the same order.

  Args:
    config: The config.
    num_features: The columns of the inputs.
    num_classes: The number of classes.
    tx: The optimiser of the classifiers.

  Returns:
    A function `(alpha, seed, split, features, labels)` -> the test "error" of
    each method, in per cent; the "elbo" on the training and the test inputs, in
    nats an input; the mean "loss" of all methods in the last epoch; and "shown"
    as `methods.mixtures`.
  """
  vae = models.VAE(shape=(num_features,), **config.vae)
  model = models.build(num_classes=num_classes, **config.model)
  vae_tx = optax.adam(config.vae_learning_rate)

  def run(alpha: Array, seed: Array, split: splits.Split, features: Array,
          labels: Array) -> dict[str, Any]:
    vae_key, init_key, rows_key, step_key, *bound_keys = jax.random.split(
        jax.random.key(seed), 6)
    inputs, test_inputs = (split.scaled(features[rows])
                           for rows in (split.train_rows, split.test_rows))
    targets = labels[split.train_rows]
    params = autoencoder.train(vae,
                               vae_tx,
                               vae_key,
                               inputs,
                               num_steps=config.vae_steps,
                               batch_size=config.vae_batch_size)
    encode, decode = autoencoder.coders(vae, params)
    rows, where = resident.shuffled_rows(rows_key,
                                         len(inputs),
                                         batch_size=config.batch_size,
                                         epochs=config.epochs)
    # One row after the other: epochs end in a padded batch.
    flat = lambda x: x.reshape(-1, x.shape[-1])
    batches = {"rows": flat(rows), "where": flat(where)}
    state = states.create(model, tx, init_key, inputs[:1])
    evaluate = steps.make_eval_step(model)
    examples = lambda key, batch: (inputs[batch["rows"]], targets[batch["rows"]]
                                  )
    errors, last = {}, []
    for name, options in methods.all_of(encode,
                                        decode,
                                        alpha=alpha,
                                        layers=config.layers).items():
      step = steps.make_train_step(model,
                                   tx,
                                   losses.cross_entropy,
                                   root_key=step_key,
                                   prepare=examples,
                                   **options)
      trained, metrics = jax.lax.scan(step, state, batches)
      sums = evaluate(trained, test_inputs, labels[split.test_rows])
      errors[name] = sums.means()["error"]
      last.append(metrics["loss"][-rows.shape[1]:].mean())
    pairs = zip((inputs, test_inputs), bound_keys)
    elbo = [autoencoder.bound(vae, params, *pair) for pair in pairs]
    first, second = test_inputs[:2 * NUM_PAIRS].reshape(2, NUM_PAIRS, -1)
    shown = methods.mixtures(encode, decode, first, second, jnp.asarray(LAMS))
    loss = jnp.stack(last).mean()
    return {"error": errors, "loss": loss, "elbo": elbo, "shown": shown}

  return run
