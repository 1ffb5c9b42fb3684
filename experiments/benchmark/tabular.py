"""All seeds of a table at once, and in a plain PyTorch loop."""

import functools
import time
from typing import Any, Callable

import jax
import numpy as np

from experiments.benchmark import torch_table
from mixup_jax import models
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import problems
from mixup_jax.data.in_memory import tables
from mixup_jax.results import format_table
from mixup_jax.train import optim
from mixup_jax.train import sweep
from mixup_jax.train import trial

ALPHAS = np.array([0.0, 0.2], np.float32)  # ERM and mixup.


def table(torch: Any, problem: problems.Problem) -> str:
  """Trains every seed with ERM and mixup, all at once and in a plain loop.

  Both train the network of the paper, 2 x 128 ReLU, with Adam for 10 epochs of
  batches of 16, on the same splits.
  """
  train = sweep_of(problem)

  start = time.perf_counter()
  train()
  first = time.perf_counter() - start
  start = time.perf_counter()
  ours = train()["error"].mean(0)
  second = time.perf_counter() - start
  start = time.perf_counter()
  other = np.mean(
    [
      [torch_run(torch, problem, seed, float(alpha)) for alpha in ALPHAS]
      for seed in range(len(problem.splits.train_rows))
    ],
    0,
  )
  loop = time.perf_counter() - start

  def cell(x: float) -> str:
    return f"{x:.2f}"

  return format_table(
    [
      ["way", "seconds", "times faster", "ERM error %", "mixup error %"],
      ["PyTorch, a loop over seeds", cell(loop), "1.00", *map(cell, other)],
      [
        "one program, compiled before",
        cell(second),
        cell(loop / second),
        *map(cell, ours),
      ],
      [
        "one program, with compilation",
        cell(first),
        cell(loop / first),
        *map(cell, ours),
      ],
    ]
  )


def sweep_of(problem: problems.Problem) -> Callable[[], sweep.Curves]:
  """Returns what trains every seed with ERM and mixup, some at a time."""
  mesh = sharding.make_mesh()
  network = trial.classifier(
    models.build("mlp", num_classes=problem.num_classes),
    optim.build("adam", learning_rate=1e-3),
    transform=lambda alpha: functools.partial(transforms.mixup, alpha=alpha),
  )
  program = sweep.make_program(network, mesh, batch_size=16, epochs=10)
  return functools.partial(sweep.train, program, problem, ALPHAS, mesh=mesh)


def load_problem(
  name: str, data_dir: str | None, seeds: int
) -> problems.Problem:
  """Loads a table, and splits it as the section does."""
  return problems.split_table(
    tables.encode(
      tables.load(name, data_dir), categorical="one_hot", missing="mean"
    ),
    seeds=range(seeds),
    train_fraction=0.5,
    scaling="min_max",
  )


def torch_run(
  torch: Any, problem: problems.Problem, seed: int, alpha: float
) -> float:
  """Trains one network with PyTorch, and returns its test error in per cent."""
  return torch_table.train(
    torch,
    scaled(problem, seed),
    problem.labels,
    problem.splits.train_rows[seed],
    problem.splits.test_rows[seed],
    seed=seed,
    alpha=alpha,
  )


def scaled(problem: problems.Problem, seed: int) -> np.ndarray:
  """Returns `[rows, columns]` features, scaled by the split of a seed."""
  split = jax.tree.map(lambda x: x[seed], problem.splits)
  return np.array(split.scaled(problem.features))
