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
from mixup_jax import transforms
from mixup_jax.train import rngs
from mixup_jax.train.state import TrainState

Array = jax.Array
PyTree = Any
Batch = Mapping[str, PyTree]
Prepare = Callable[[Array, Batch], tuple[PyTree, PyTree]]
Normalize = Callable[[PyTree], PyTree]


def make_train_step(
  model: nn.Module,
  tx: optax.GradientTransformation,
  loss_fn: Callable[[Array, PyTree], Array],
  *,
  root_key: Array,
  prepare: Prepare,
  normalize: Normalize | None = None,
  transform: Callable[..., tuple[PyTree, PyTree]] | None = None,
  num_plain_steps: int = 0,
  num_mixed_steps: int | None = None,
  average_decay: float | None = None,
) -> Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]:
  """Makes one step of (vicinal) risk minimisation.

  All randomness comes from the streams of `root_key` at `state.step`, so a
  restored run continues the same streams, on any number of hosts.

  Args:
    model: The model. It is called with `mix=` if hidden layers are mixed.
    tx: The optimiser.
    loss_fn: Takes logits and targets, returns `[batch]` losses.
    root_key: A typed PRNG key, that of the run.
    prepare: Takes a key and a batch, returns inputs and targets.
    normalize: Makes floats of inputs. None leaves them as they are.
    transform: Draws from the vicinity of the examples, such as
      `functools.partial(mixup, alpha=0.2)`; a plain function `(key, inputs,
      targets)` becomes a transform. None is empirical risk minimisation.
    num_plain_steps: The number of steps after which it is switched on, by its
      option `enabled`.
    num_mixed_steps: The number of steps, counted from the first, after which it
      is switched off. None leaves it on.
    average_decay: What a step keeps of the moving average of the weights, for
      a state that has one; in the first steps it is less.

  Returns:
    A function `(state, batch) -> (state, {"loss", "error"})`: the mean loss,
    and the training error in per cent, of mixed labels weighted by lam. A batch
    may hold `where`, `[batch]` booleans that are False for padding: it is left
    out of both, and handed on to the transform and the model.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, eq. 3
    and section 2.
  """
  mix = None if transform is None else transforms.as_transform(transform)

  def train_step(
    state: TrainState, batch: Batch
  ) -> tuple[TrainState, dict[str, Array]]:
    augment_key, mix_key, dropout_key = (
      rngs.stream(root_key, name, state.step)
      for name in ("augment", "mix", "dropout")
    )
    where = batch.get("where")
    masked: dict[str, Any] = {} if where is None else {"where": where}
    inputs, targets = prepare(augment_key, batch)
    if mix is None:
      inputs = normalize(inputs) if normalize else inputs
    else:
      enabled = _enabled(state.step, num_plain_steps, num_mixed_steps)
      inputs, targets = _draw_vicinity(
        mix, normalize, mix_key, inputs, targets, **enabled, **masked
      )
    if where is not None:  # A transform may return several rows an example.
      rows = jax.tree.leaves(inputs)[0].shape[0]
      masked = {"where": jnp.repeat(where, rows // len(where))}
    hooks, hidden_mix, depths = masked, None, list[int]()
    if isinstance(inputs, transforms.HiddenMix):
      hidden_mix, inputs = inputs, inputs.inputs
      hooks = {**masked, "mix": recorded(hidden_mix.hook, depths)}

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
      if hidden_mix is not None:
        hidden_mix.check_depths(depths)
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


def _enabled(
  step: Array, num_plain_steps: int, num_mixed_steps: int | None
) -> dict[str, Array]:
  """Returns the option `enabled` of a transform, if it is ever switched."""
  if not num_plain_steps and num_mixed_steps is None:
    return {}
  last = np.iinfo(np.int32).max if num_mixed_steps is None else num_mixed_steps
  return {"enabled": (num_plain_steps <= step) & (step < last)}


def _draw_vicinity(
  transform: transforms.Transform,
  normalize: Normalize | None,
  key: Array,
  inputs: PyTree,
  targets: PyTree,
  **options: Any,
) -> tuple[PyTree, PyTree]:
  """Normalises and transforms, in the order that moves fewer bytes.

  Partners are fetched as bytes, a quarter of the data, where inputs are bytes
  and the transform declares that it normalises what it has fetched.
  """
  if normalize is None:
    return transform(key, inputs, targets, **options)
  are_bytes = all(x.dtype == jnp.uint8 for x in jax.tree.leaves(inputs))
  if are_bytes and transforms.takes(transform, "normalize"):
    pair_bytes: Any = transform
    return pair_bytes(key, inputs, targets, normalize=normalize, **options)
  return transform(key, normalize(inputs), targets, **options)


def recorded(
  hook: Callable[[int, PyTree], PyTree], depths: list[int]
) -> Callable[[int, PyTree], PyTree]:
  """Returns a hook that also notes at which depths a model calls it.

  Args:
    hook: `HiddenMix.hook`.
    depths: The list to which each depth is appended, when the hook is traced.

  Returns:
    The hook, for `HiddenMix.check_depths` afterwards.
  """

  def record(depth: int, hidden: PyTree) -> PyTree:
    depths.append(depth)
    return hook(depth, hidden)

  return record


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
