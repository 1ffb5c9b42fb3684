"""All seeds of a table at once, and in a plain PyTorch loop."""

import functools
import time
from typing import Any, Callable

import jax
import numpy as np

from experiments.benchmark import official
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
  torch.manual_seed(seed)
  split = jax.tree.map(lambda x: x[seed], problem.splits)
  scaled = torch.from_numpy(np.array(split.scaled(problem.features)))
  labels = torch.from_numpy(problem.labels).long()
  train_rows, test_rows = (
    torch.from_numpy(rows).long()
    for rows in (split.train_rows, split.test_rows)
  )
  nn = torch.nn
  net = nn.Sequential(
    nn.Linear(scaled.shape[1], 128),
    nn.ReLU(),
    nn.Linear(128, 128),
    nn.ReLU(),
    nn.Linear(128, problem.num_classes),
  )
  optimizer = torch.optim.Adam(net.parameters())
  for _ in range(10):
    for rows in train_rows[torch.randperm(len(train_rows))].split(16):
      optimizer.zero_grad()
      if alpha:
        x, y, partner_y, lam = official.mixup(
          torch, scaled[rows], labels[rows], alpha
        )
        logits = net(x)
        loss = lam * nn.functional.cross_entropy(logits, y) + (
          1 - lam
        ) * nn.functional.cross_entropy(logits, partner_y)
      else:
        loss = nn.functional.cross_entropy(net(scaled[rows]), labels[rows])
      loss.backward()
      optimizer.step()
  with torch.no_grad():
    predicted = net(scaled[test_rows]).argmax(1)
  return 100 * float((predicted != labels[test_rows]).float().mean())
