"""The training step and the evaluation step: pure, and not yet jitted.

So a step can be tested bare, jitted with shardings, vmapped over seeds, or
scanned over an epoch.
"""

from typing import Any, Callable, Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax.train.state import TrainState

Array = jax.Array
PyTree = Any
Batch = Mapping[str, PyTree]
Prepare = Callable[[Array, Batch], tuple[PyTree, PyTree]]
Transform = Callable[[Array, PyTree, PyTree], tuple[PyTree, PyTree]]
MixHidden = Callable[
  [Array, PyTree], tuple[Callable[[int, PyTree], PyTree], PyTree]
]


def make_train_step(
  model: nn.Module,
  tx: optax.GradientTransformation,
  loss_fn: Callable[[Array, PyTree], Array],
  *,
  root_key: Array,
  prepare: Prepare,
  transform: Transform | None = None,
  mix_hidden: MixHidden | None = None,
  num_plain_steps: int = 0,
  num_mixed_steps: int | None = None,
  average_decay: float | None = None,
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
    mix_hidden: Instead of a transform, draws what the model calls at each
      depth, and mixes the targets, such as
      `functools.partial(manifold, alpha=2.0, layers=(0, 1, 2))`.
    num_plain_steps: The number of steps after which either is switched on, by
      its option `enabled`.
    num_mixed_steps: The number of steps, counted from the first, after which it
      is switched off. None leaves it on.
    average_decay: What a step keeps of the moving average of the weights, for
      a state that has one; in the first steps it is less.

  Returns:
    A function `(state, batch) -> (state, {"loss", "error"})`: the mean loss,
    and the training error in per cent, of mixed labels weighted by lam. A batch
    may hold `where`, `[batch]` booleans that are False for padding: it is left
    out of both, and handed on to the transform and the model.

  Raises:
    ValueError: If both `transform` and `mix_hidden` are given.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, eq. 3
    and section 2.
  """

  if transform is not None and mix_hidden is not None:
    raise ValueError("transform and mix_hidden would mix twice: give one.")

  def train_step(
    state: TrainState, batch: Batch
  ) -> tuple[TrainState, dict[str, Array]]:
    # Clone: folding in a new step each time is what makes one key enough.
    key = jax.random.fold_in(jax.random.clone(root_key), state.step)
    prepare_key, transform_key, dropout_key = jax.random.split(key, 3)
    where = batch.get("where")
    mask = {} if where is None else {"where": where}
    inputs, targets = prepare(prepare_key, batch)
    options, hooks = dict(mask), dict(mask)
    if num_plain_steps or num_mixed_steps is not None:
      last = (
        np.iinfo(np.int32).max if num_mixed_steps is None else (num_mixed_steps)
      )
      options["enabled"] = (num_plain_steps <= state.step) & (state.step < last)
    if transform is not None:
      inputs, targets = transform(transform_key, inputs, targets, **options)
    elif mix_hidden is not None:
      hooks["mix"], targets = mix_hidden(transform_key, targets, **options)

    def vicinal_risk(params: PyTree) -> tuple[Array, tuple[Array, PyTree]]:
      variables = {"params": params, "batch_stats": state.batch_stats}
      logits, updates = model.apply(
        variables,
        inputs,
        train=True,
        mutable=["batch_stats"],
        rngs={"dropout": dropout_key},
        **hooks,
      )
      loss = jnp.mean(loss_fn(logits, targets), where=where)
      return loss, (logits, updates)

    (loss, (logits, updates)), grads = jax.value_and_grad(
      vicinal_risk, has_aux=True
    )(state.params)
    # Adam of optax raises a float to an integer power, which strict promotion,
    # if a caller has set it, forbids.
    with jax.numpy_dtype_promotion("standard"):
      deltas, opt_state = tx.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, deltas)
    batch_stats = updates.get("batch_stats", {})
    average = state.average
    if average_decay is not None:
      average = _moving_average(
        average,
        {"params": params, "batch_stats": batch_stats},
        state.step,
        average_decay,
      )
    error = 100 * jnp.mean(losses.zero_one(logits, targets), where=where)
    new_state = TrainState(
      state.step + 1, params, batch_stats, opt_state, average
    )
    return new_state, {"loss": loss, "error": error}

  return train_step


def _moving_average(
  average: PyTree, values: PyTree, step: Array, decay: float
) -> PyTree:
  """Moves the average towards the values, faster in the first steps.

  Else it would be of the initial weights for long: 1 / (1 - decay) steps.
  """
  done = step.astype(jnp.float32)
  kept = jnp.minimum(decay, (1 + done) / (10 + done))
  return jax.tree.map(lambda a, x: kept * a + (1 - kept) * x, average, values)


def make_eval_step(model: nn.Module) -> Callable[..., metrics.Sums]:
  """Makes the step that measures a model on a batch.

  Args:
    model: The model.

  Returns:
    A function `(state, inputs, labels, where=None) -> metrics.Sums`.
  """

  def eval_step(
    state: TrainState, inputs: PyTree, labels: Array, where: Array | None = None
  ) -> metrics.Sums:
    logits: Any = model.apply(state.variables(), inputs, train=False)
    return metrics.classification(logits, labels, where=where)

  return eval_step
