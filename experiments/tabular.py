"""Section 3.6, Table 4: ERM and mixup on tables, all seeds in one program.

    python -m experiments.tabular --config=configs/tabular.py:dataset=all

A whole run is one `lax.scan` over its steps, and all runs, ERM (alpha = 0) and
mixup alike, are one compiled `vmap` over (seed, alpha). The two methods share
split, weights and order of the data for each seed, so their difference has a
much smaller spread than either.
"""

import os
import pathlib
from typing import Any, Callable, NamedTuple

import jax
import numpy as np
import tqdm

from mixup_jax import cli
from mixup_jax import losses
from mixup_jax import models
from mixup_jax import optim
from mixup_jax import records
from mixup_jax import sharding
from mixup_jax import state as states
from mixup_jax import steps
from mixup_jax import transforms
from mixup_jax.data import resident
from mixup_jax.data import tables

Array = jax.Array
CONFIG = pathlib.Path(__file__).parent.parent / "configs" / "tabular.py"

# Test error in per cent, ERM and mixup: Zhang et al., ICLR 2018, Table 4. The
# paper does not say which of the two phishing sets of the UCI it means.
PAPER = {
    "abalone": (74.0, 73.6),
    "arcene": (57.6, 48.0),
    "arrhythmia": (56.6, 46.3),
    "htru2": (2.0, 2.0),
    "iris": (21.3, 17.3),
    "phishing_websites": (16.3, 15.2),
    "website_phishing": (16.3, 15.2),
}


class Problem(NamedTuple):
  """A table with one split a seed.

  Attributes:
    features: `[rows, columns]` float32, NaN where missing.
    labels: `[rows]` int32.
    splits: The splits, stacked: every leaf is `[seeds, ...]`.
    num_classes: The number of classes.
  """
  features: np.ndarray
  labels: np.ndarray
  splits: tables.Split
  num_classes: int


def make_run(config: Any, num_classes: int) -> Callable[..., dict[str, Array]]:
  """Makes a whole run as one function, to be vmapped over alphas and seeds.

  What does not depend on alpha, the split, the weights and the order of the
  data, is then computed once a seed.

  Args:
    config: The config.
    num_classes: The number of classes.

  Returns:
    A function `(alpha, seed, split, features, labels)` -> `{"loss", "error"}`:
    the mean training loss of each epoch `[epochs]` in nats, and the test error
    at the end `[]` in per cent.
  """
  model = models.build(num_classes=num_classes, **config.model)
  tx = optim.build(**config.optimizer)
  evaluate = steps.make_eval_step(model)

  def run(alpha: Array, seed: Array, split: tables.Split, features: Array,
          labels: Array) -> dict[str, Array]:
    init_key, rows_key, mix_key, step_key = jax.random.split(
        jax.random.key(seed), 4)
    inputs = split.scaled(features[split.train_rows])
    train_labels = labels[split.train_rows]
    # All draws of the run at once: inside the scan they would cost as much as
    # the step itself.
    rows, where = resident.shuffled_rows(rows_key,
                                         inputs.shape[0],
                                         batch_size=config.batch_size,
                                         epochs=config.epochs)
    mix = draw_plans(mix_key, where, alpha=alpha)
    step = steps.make_train_step(model,
                                 tx,
                                 losses.cross_entropy,
                                 root_key=step_key,
                                 prepare=lambda key, batch: batch["examples"])

    def epoch(state: states.TrainState,
              plan: tuple[Any, ...]) -> tuple[states.TrainState, Array]:
      rows, where, mix = plan
      examples = (jax.vmap(transforms.mix_pairs)(inputs[rows], mix),
                  jax.vmap(transforms.mix_targets)(train_labels[rows], mix))
      batches = {"examples": examples, "where": where}
      # Unrolling once spares the copy of the parameters: 15 % on a CPU.
      state, metrics = jax.lax.scan(step, state, batches, unroll=2)
      return state, metrics["loss"].mean()

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
  draw = lambda k, valid: transforms.sample_mix(
      k, valid.shape[0], alpha=alpha, where=valid)
  keys = jax.random.split(key, where.shape[:2])
  return jax.vmap(jax.vmap(draw))(keys, where)


def train(config: Any, problem: Problem, *,
          on_group: Callable[[int], object]) -> dict[str, np.ndarray]:
  """Trains every seed with every alpha, some seeds a device at a time.

  Args:
    config: The config.
    problem: The table.
    on_group: Called with the number of seeds that have just ended.

  Returns:
    `{"loss": [seeds, methods, epochs], "error": [seeds, methods]}`; method 0 is
    ERM.
  """
  mesh = sharding.make_mesh()
  one_seed = jax.vmap(make_run(config, problem.num_classes),
                      in_axes=(0, None, None, None, None))
  seeds_of_device = jax.vmap(one_seed, in_axes=(None, 0, 0, None, None))
  by_seed, shared = jax.P(sharding.AXIS), jax.P()
  program = jax.jit(
      jax.shard_map(seeds_of_device,
                    mesh=mesh,
                    in_specs=(shared, by_seed, by_seed, shared, shared),
                    out_specs=by_seed,
                    check_vma=False))
  alphas, features, labels = jax.device_put((np.asarray(
      (0, *config.alphas), np.float32), problem.features, problem.labels),
                                            sharding.replicated(mesh))
  size = mesh.size * config.seeds_per_device
  groups = []
  for start in range(0, config.seeds, size):
    # The last group is filled up, so that one program serves all.
    group = np.arange(start, start + size) % config.seeds
    seeds = np.asarray(config.first_seed + group, np.uint32)
    splits = jax.tree.map(lambda x: x[group], problem.splits)
    seeds, splits = jax.device_put((seeds, splits), sharding.sharded(mesh))
    groups.append(
        jax.device_get(program(alphas, seeds, splits, features, labels)))
    on_group(min(size, config.seeds - start))
  return jax.tree.map(lambda *x: np.concatenate(x)[:config.seeds], *groups)


def methods(config: Any) -> list[str]:
  """Returns the names of the methods, in the order of `train`."""
  return ["ERM", *(f"mixup, alpha {alpha:g}" for alpha in config.alphas)]


def result_rows(config: Any, name: str, problem: Problem,
                error: np.ndarray) -> list[records.Row]:
  """Makes the rows of one table from `[seeds, methods]` test errors."""
  row = lambda method, metric, paper, values: records.Row(
      setting=name,
      method=method,
      metric=metric,
      paper=paper,
      value=round(float(values.mean()), 4),
      std=round(float(values.std(ddof=1)), 4) if len(values) > 1 else 0.0,
      n=len(values),
      epochs=config.epochs)
  guess = np.bincount(problem.labels).argmax()
  majority = 100 * np.mean(problem.labels[problem.splits.test_rows] != guess, 1)
  rows = [row("majority class", "test error (%)", None, majority)]
  for index, method in enumerate(methods(config)):
    paper = PAPER[name][min(index, 1)]
    rows.append(row(method, "test error (%)", paper, error[:, index]))
  for index, method in enumerate(methods(config)[1:], start=1):
    difference = error[:, index] - error[:, 0]
    rows.append(row(method, "minus ERM, paired (%)", None, difference))
  return rows


def prepare(config: Any) -> dict[str, Problem]:
  """Checks the config, and loads and splits every table."""
  for alpha in config.alphas:
    transforms.check_alpha(alpha)
  for name, low in (("seeds", 1), ("batch_size", 2), ("epochs", 1),
                    ("seeds_per_device", 1), ("first_seed", 0)):
    if config[name] < low:
      raise ValueError(f"config.{name} must be at least {low}, got "
                       f"{config[name]}.")
  problems = {}
  for name in config.datasets:
    table = tables.encode(tables.load(name, config.data_dir or None),
                          categorical=config.categorical,
                          missing=config.missing)
    splits = [
        tables.split_scaled(table,
                            train_fraction=config.train_fraction,
                            seed=config.first_seed + seed,
                            scaling=config.scaling)
        for seed in range(config.seeds)
    ]
    problems[name] = Problem(table.features, table.labels,
                             jax.tree.map(lambda *x: np.stack(x), *splits),
                             table.num_classes)
    make_run(config, table.num_classes)  # Names a wrong model or optimiser.
  return problems


def run(config: Any, problems: dict[str, Problem],
        recorder: records.Recorder) -> list[records.Row]:
  """Trains on every table, and returns the rows of the result."""
  rows = []
  seeds = len(problems) * config.seeds
  with tqdm.tqdm(total=seeds, unit="seed", desc="tabular") as progress:
    for name, problem in problems.items():
      progress.set_postfix_str(name)
      curves = train(config, problem, on_group=progress.update)
      if not np.isfinite(curves["loss"]).all():
        raise FloatingPointError(f"the loss on {name} is not finite: lower "
                                 "optimizer.learning_rate.")
      for epoch in range(config.epochs):
        recorder.metrics(
            epoch + 1, {
                f"{name}/{method}/loss": curves["loss"][:, index, epoch].mean()
                for index, method in enumerate(methods(config))
            })
      rows += result_rows(config, name, problem, curves["error"])
  return rows


if __name__ == "__main__":
  cli.launch("tabular",
             prepare=prepare,
             run=run,
             config_file=CONFIG,
             cpu_devices=os.cpu_count())
