"""The training step and the evaluation step: pure, and not yet jitted.

So a step can be tested bare, jitted with shardings, vmapped over seeds, or
scanned over an epoch.
"""

from typing import Any, Callable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from mixup_jax import metrics
from mixup_jax.state import TrainState

Array = jax.Array
PyTree = Any
Batch = Mapping[str, PyTree]
Prepare = Callable[[Array, Batch], tuple[PyTree, PyTree]]
Transform = Callable[[Array, PyTree, PyTree], tuple[PyTree, PyTree]]


def make_train_step(
    model: nn.Module,
    tx: optax.GradientTransformation,
    loss_fn: Callable[[Array, PyTree], Array],
    *,
    root_key: Array,
    prepare: Prepare,
    transform: Transform | None = None,
) -> Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]:
  """Makes one step of (vicinal) risk minimisation.

  All randomness comes from `fold_in(root_key, state.step)`, so a restored run
  continues the same stream, on any number of hosts.

  Args:
    model: The model.
    tx: The optimiser.
    loss_fn: Takes logits and targets, returns `[batch]` losses.
    root_key: A typed PRNG key, the seed of the run.
    prepare: Takes a key and a batch, returns inputs and targets.
    transform: Draws from the vicinity of the examples, such as
      `functools.partial(mixup, alpha=0.2)`. None is empirical risk
      minimisation.

  Returns:
    A function `(state, batch) -> (state, {"loss"})`. A batch may hold `where`,
    `[batch]` booleans that are False for padding: it is left out of the loss,
    and handed on to the transform.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, eq. 3
    and section 2.
  """

  def train_step(state: TrainState,
                 batch: Batch) -> tuple[TrainState, dict[str, Array]]:
    # Clone: folding in a new step each time is what makes one key enough.
    key = jax.random.fold_in(jax.random.clone(root_key), state.step)
    prepare_key, transform_key, dropout_key = jax.random.split(key, 3)
    where = batch.get("where")
    inputs, targets = prepare(prepare_key, batch)
    if transform is not None:
      mask = {} if where is None else {"where": where}
      inputs, targets = transform(transform_key, inputs, targets, **mask)

    def vicinal_risk(params: PyTree) -> tuple[Array, PyTree]:
      variables = {"params": params, "batch_stats": state.batch_stats}
      logits, updates = model.apply(variables,
                                    inputs,
                                    train=True,
                                    mutable=["batch_stats"],
                                    rngs={"dropout": dropout_key})
      return jnp.mean(loss_fn(logits, targets), where=where), updates

    (loss, updates), grads = jax.value_and_grad(vicinal_risk,
                                                has_aux=True)(state.params)
    # Adam of optax raises a float to an integer power, which strict promotion,
    # if a caller has set it, forbids.
    with jax.numpy_dtype_promotion("standard"):
      deltas, opt_state = tx.update(grads, state.opt_state, state.params)
    new_state = TrainState(
        step=state.step + 1,
        params=optax.apply_updates(state.params, deltas),
        batch_stats=updates.get("batch_stats", {}),
        opt_state=opt_state,
    )
    return new_state, {"loss": loss}

  return train_step


def make_eval_step(model: nn.Module) -> Callable[..., metrics.Sums]:
  """Makes the step that measures a model on a batch.

  Args:
    model: The model.

  Returns:
    A function `(state, inputs, labels, where=None) -> metrics.Sums`.
  """

  def eval_step(state: TrainState,
                inputs: PyTree,
                labels: Array,
                where: Array | None = None) -> metrics.Sums:
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    logits: Any = model.apply(variables, inputs, train=False)
    return metrics.classification(logits, labels, where=where)

  return eval_step
