"""Many small runs at once: all seeds and all alphas in one compiled program.

A run is one `lax.scan` over its steps. Runs are vmapped over alpha (0 is ERM)
and over seeds, and the seeds are spread over the devices.
"""

from typing import Any, Callable, NamedTuple, Sequence

import flax.linen as nn
import jax
import numpy as np
import optax

from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import splits
from mixup_jax.data.in_memory import order
from mixup_jax.data.in_memory import tables
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Array = jax.Array
Curves = dict[str, Any]


class Problem(NamedTuple):
  """A table with one split a seed.

  Attributes:
    features: `[rows, columns]` float32, NaN where missing.
    labels: `[rows]` int32 class ids.
    splits: The splits, stacked: every leaf is `[seeds, ...]`.
    num_classes: The number of classes.
  """

  features: np.ndarray
  labels: np.ndarray
  splits: splits.Split
  num_classes: int


def split_problem(
  table: tables.Table,
  *,
  num_seeds: int,
  first_seed: int,
  train_fraction: float,
  scaling: str,
) -> Problem:
  """Splits a table once a seed.

  Args:
    table: The table, encoded.
    num_seeds: How many splits.
    first_seed: The seed of the first one.
    train_fraction: As in `splits.split_scaled`.
    scaling: As in `splits.split_scaled`.

  Returns:
    The problem.
  """
  each = [
    splits.split_scaled(
      table,
      train_fraction=train_fraction,
      seed=first_seed + index,
      scaling=scaling,
    )
    for index in range(num_seeds)
  ]
  stacked = jax.tree.map(lambda *x: np.stack(x), *each)
  return Problem(table.features, table.labels, stacked, table.num_classes)


def make_run(
  model: nn.Module,
  tx: optax.GradientTransformation,
  *,
  batch_size: int,
  epochs: int,
) -> Callable[..., Curves]:
  """Makes a whole run as one function, to be vmapped over alphas and seeds.

  What does not depend on alpha, the split, the weights and the order of the
  data, is then computed once a seed, and shared by ERM and mixup.

  Args:
    model: A classifier of `[batch, columns]` inputs.
    tx: The optimiser.
    batch_size: Rows in a batch; the last one of an epoch is padded.
    epochs: Passes over the training rows.

  Returns:
    A function `(alpha, seed, split, features, labels)` -> `{"loss", "error"}`:
    the mean training loss of each epoch `[epochs]` in nats, and the test error
    at the end `[]` in per cent.
  """
  evaluate = steps.make_eval_step(model)

  def run(
    alpha: Array,
    seed: Array,
    split: splits.Split,
    features: Array,
    labels: Array,
  ) -> Curves:
    init_key, rows_key, mix_key, step_key = jax.random.split(
      jax.random.key(seed), 4
    )
    inputs = split.scaled(features[split.train_rows])
    targets = labels[split.train_rows]
    # All draws of the run at once: inside the scan they would cost as much as
    # the step itself.
    rows, where = order.shuffled_rows(
      rows_key, inputs.shape[0], batch_size=batch_size, epochs=epochs
    )
    mix = draw_plans(mix_key, where, alpha=alpha)
    train_step = steps.make_train_step(
      model,
      tx,
      losses.cross_entropy,
      root_key=step_key,
      prepare=lambda key, batch: batch["examples"],
    )

    def step(
      state: states.TrainState, batch: steps.Batch
    ) -> tuple[states.TrainState, Array]:
      state, metrics = train_step(state, batch)
      return state, metrics["loss"]

    def epoch(
      state: states.TrainState, plan: tuple[Any, ...]
    ) -> tuple[states.TrainState, Array]:
      rows, where, mix = plan
      examples = (
        jax.vmap(transforms.mix_pairs)(inputs[rows], mix),
        jax.vmap(transforms.mix_targets)(targets[rows], mix),
      )
      batches = {"examples": examples, "where": where}
      # Unrolling once spares the copy of the parameters: 15 % on a processor.
      state, loss = jax.lax.scan(step, state, batches, unroll=2)
      return state, loss.mean()

    state = states.create(model, tx, init_key, inputs[:1])
    state, loss = jax.lax.scan(epoch, state, (rows, where, mix))
    test_inputs = split.scaled(features[split.test_rows])
    sums = evaluate(state, test_inputs, labels[split.test_rows])
    return {"loss": loss, "error": sums.means()["error"]}

  return run


def draw_plans(key: Array, where: Array, *, alpha: Array) -> transforms.Mix:
  """Draws the mixing of every step of a run at once.

  Args:
    key: A typed PRNG key, consumed.
    where: `[epochs, steps, batch]` booleans, False for padding.
    alpha: `[]`, the concentration of Beta(alpha, alpha); 0 is ERM.

  Returns:
    Plans whose leaves are `[epochs, steps, ...]`.
  """

  def draw(k: Array, valid: Array) -> transforms.Mix:
    return transforms.sample_mix(k, valid.shape[0], alpha=alpha, where=valid)

  keys = jax.random.split(key, where.shape[:2])
  return jax.vmap(jax.vmap(draw))(keys, where)


def make_program(
  run: Callable[..., Curves], mesh: jax.sharding.Mesh
) -> Callable[..., Curves]:
  """Compiles a run for many alphas and, on each device, many seeds.

  Args:
    run: As `make_run` returns it.
    mesh: The devices.

  Returns:
    A jitted function `(alphas, seeds, splits, features, labels)` -> curves
    whose leaves are `[seeds, alphas, ...]`.
  """
  every_alpha = jax.vmap(run, in_axes=(0, None, None, None, None))
  every_seed = jax.vmap(every_alpha, in_axes=(None, 0, 0, None, None))
  by_seed, shared = jax.P(sharding.AXIS), jax.P()
  return jax.jit(
    jax.shard_map(
      every_seed,
      mesh=mesh,
      in_specs=(shared, by_seed, by_seed, shared, shared),
      out_specs=by_seed,
      check_vma=False,
    )
  )


def train(
  program: Callable[..., Curves],
  problem: Problem,
  *,
  mesh: jax.sharding.Mesh,
  alphas: Sequence[float],
  first_seed: int = 0,
  seeds_per_device: int = 2,
  on_group: Callable[[int], object] = lambda count: None,
) -> Curves:
  """Trains every seed with every alpha, some seeds a device at a time.

  Args:
    program: As `make_program` returns it.
    problem: The table, with one split for each seed.
    mesh: The devices that the program is for.
    alphas: The concentrations; 0 is ERM.
    first_seed: The seed of the first split.
    seeds_per_device: Seeds that a device trains at a time. Few fit the cache of
      a processor, many fill an accelerator.
    on_group: Called with the number of seeds that have just ended.

  Returns:
    `{"loss": [seeds, alphas, epochs], "error": [seeds, alphas]}`, numpy.
  """
  num_seeds = len(problem.splits.train_rows)
  size = mesh.size * seeds_per_device
  shared = jax.device_put(
    (np.asarray(alphas, np.float32), problem.features, problem.labels),
    sharding.replicated(mesh),
  )
  groups = []
  for start in range(0, num_seeds, size):
    # The last group is filled up, so that one program serves all.
    group = np.arange(start, start + size) % num_seeds
    seeds = np.asarray(first_seed + group, np.uint32)
    splits = jax.tree.map(lambda x: x[group], problem.splits)
    seeds, splits = jax.device_put((seeds, splits), sharding.sharded(mesh))
    groups.append(
      jax.device_get(program(shared[0], seeds, splits, *shared[1:]))
    )
    on_group(min(size, num_seeds - start))
  return jax.tree.map(lambda *x: np.concatenate(x)[:num_seeds], *groups)
