"""Speed, side by side in one run: ours, and what you would write instead.

    pip install -e '.[benchmark]'
    python -m experiments.benchmark transforms
    python -m experiments.benchmark tabular --dataset=phishing_websites

PyTorch is the other side: its mixing is the algorithm of the released code (a
lambda of numpy, a random permutation, two products and a sum), its training a
plain loop over seeds. Each pair takes turns, and a ratio is the median of the
ratios of turns that follow each other, so that a busy machine slows both.
"""

import argparse
import functools
import os
import statistics
import sys
import time
from typing import Any, Callable, NamedTuple, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import losses
from mixup_jax import models
from mixup_jax import optim
from mixup_jax import sharding
from mixup_jax import sweep
from mixup_jax import transforms
from mixup_jax.cli import format_table
from mixup_jax.data import tables
from mixup_jax.records import environment

Thunk = Callable[[], Any]
IMAGE_MEAN, IMAGE_STD = 0.4734, 0.2009  # One channel will do for a time.


class Case(NamedTuple):
  """Two ways to do one thing, and the ratio of times that we aim at."""
  name: str
  ours: Thunk
  other_name: str
  other: Thunk
  goal: float


def seconds(thunk: Thunk) -> float:
  """Returns how long a call takes, results of the device included."""
  # One call first: the other side has left its data in the cache, and threads
  # that spin for a while after their work is done.
  jax.block_until_ready(thunk())
  start = time.perf_counter()
  jax.block_until_ready(thunk())
  return time.perf_counter() - start


def measure(case: Case, *, turns: int) -> list[str]:
  """Lets both sides of a case take turns, and returns a line of the table."""
  for thunk in (case.ours, case.other) * 2:
    seconds(thunk)  # Compiles, and warms up.
  times = [(seconds(case.ours), seconds(case.other)) for _ in range(turns)]
  ours, other = (1e3 * statistics.median(side) for side in zip(*times))
  ratio = statistics.median(a / b for a, b in times)
  return [
      case.name, case.other_name, f"{ours:.3f}", f"{other:.3f}", f"{ratio:.2f}",
      f"{case.goal:.2f}", "yes" if ratio <= case.goal else "no"
  ]


def mixing_cases(torch: Any) -> list[Case]:
  """Mixes float images, ours against the official algorithm and a product."""
  cases = []
  for shape, goal in (((128, 32, 32, 3), 0.55), ((1024, 32, 32, 3), 0.35),
                      ((64, 224, 224, 3), 0.3)):
    key = jax.random.key(0)
    images, labels = jax.random.normal(key, shape), jnp.arange(shape[0])
    ours = jax.jit(lambda key, x, y: transforms.mixup(key, x, y, alpha=0.2))
    scaled = jax.jit(lambda a, x: a * x)
    torch_images = torch.from_numpy(np.array(images))
    torch_labels = torch.arange(shape[0])
    size = "x".join(map(str, shape))
    mix = functools.partial(ours, key, images, labels)
    official = functools.partial(torch_mixup, torch, torch_images, torch_labels)
    cases.append(
        Case(f"mixup {size}", mix, "PyTorch, official algorithm", official,
             goal))
    if shape[0] == 64:
      product = functools.partial(scaled, jnp.float32(0.7), images)
      cases.append(Case(f"mixup {size}", mix, "a * x, jitted", product, 1.2))
      cases.append(
          Case(f"mixup {size}, donated output",
               into_donated(ours, key, images, labels),
               "PyTorch, official algorithm", official, 0.1))
  return cases + [bytes_case(torch)]


def into_donated(mix: Callable[..., Any], *arguments: jax.Array) -> Thunk:
  """Lets each call write over the images that the call before returned."""

  def mix_into(old: jax.Array, *new: jax.Array) -> Any:
    del old
    return mix(*new)

  jitted = jax.jit(mix_into, donate_argnums=0, keep_unused=True)
  mixed = jnp.zeros_like(arguments[1])

  def call() -> Any:
    nonlocal mixed
    mixed, targets = jitted(mixed, *arguments)
    return mixed, targets

  return call


def bytes_case(torch: Any) -> Case:
  """Normalises and mixes images that are bytes, as data sets store them."""
  shape = (1024, 32, 32, 3)
  images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
  labels = jnp.arange(shape[0])

  @jax.jit
  def ours(key: jax.Array, x: jax.Array) -> Any:
    normalised = (x.astype(jnp.float32) / 255 - IMAGE_MEAN) / IMAGE_STD
    return transforms.mixup(key, normalised, labels, alpha=0.2)

  def official(x: Any, y: Any) -> Any:
    normalised = (x.float() / 255 - IMAGE_MEAN) / IMAGE_STD
    return torch_mixup(torch, normalised, y)

  device_images, key = jnp.asarray(images), jax.random.key(0)
  torch_images, torch_labels = torch.from_numpy(images), torch.arange(shape[0])
  return Case("normalise and mix uint8 1024x32x32x3",
              lambda: ours(key, device_images), "PyTorch, official algorithm",
              lambda: official(torch_images, torch_labels), 0.35)


def torch_mixup(torch: Any, x: Any, y: Any, alpha: float = 0.2) -> Any:
  """Mixes a batch with PyTorch, by the steps of the released code."""
  lam = float(np.random.beta(alpha, alpha))
  partner = torch.randperm(len(x))
  return lam * x + (1 - lam) * x[partner, :], y, y[partner], lam


def lambda_case() -> Case:
  """Draws 1,024 lambdas, ours against the sampler of JAX."""
  key = jax.random.key(0)
  ours = jax.jit(
      lambda key: transforms.sample_lambda(key, alpha=0.2, shape=(1024,)))
  jax_beta = jax.jit(lambda key: jax.random.beta(key, 0.2, 0.2, (1024,)))
  return Case("sample_lambda, 1,024 draws", lambda: ours(key),
              "jax.random.beta", lambda: jax_beta(key), 0.25)


def loss_cases(torch: Any) -> list[Case]:
  """Takes value and gradient of the loss of mixed labels, 1024 x 1000."""
  rng = np.random.default_rng(0)
  logits = rng.normal(size=(1024, 1000)).astype(np.float32)
  ids = rng.integers(0, 1000, (2, 1024))
  mixed = transforms.MixedLabels(jnp.asarray(ids[0]), jnp.asarray(ids[1]),
                                 jnp.float32(0.3))
  ours = jax.jit(
      jax.value_and_grad(lambda x, t: losses.cross_entropy(x, t).mean()))
  soft = jax.jit(
      jax.value_and_grad(
          lambda x, t: losses.cross_entropy(x, t.soft(1000)).mean()))
  device_logits = jnp.asarray(logits)
  torch_logits = torch.from_numpy(logits).requires_grad_()
  torch_ids = torch.from_numpy(ids)
  entropy = torch.nn.functional.cross_entropy

  def official() -> Any:
    torch_logits.grad = None
    loss = (0.3 * entropy(torch_logits, torch_ids[0]) +
            0.7 * entropy(torch_logits, torch_ids[1]))
    loss.backward()
    return loss.item()

  name, by_ids = "loss of MixedLabels", lambda: ours(device_logits, mixed)
  return [
      Case(name, by_ids, "PyTorch, two cross-entropies", official, 0.2),
      Case(name, by_ids, "one-hot labels, mixed",
           lambda: soft(device_logits, mixed), 0.5),
  ]


def transforms_table(torch: Any, turns: int) -> str:
  """Measures all cases of the transforms, and returns the table."""
  cases = [*mixing_cases(torch), lambda_case(), *loss_cases(torch)]
  header = ["ours", "other", "ours ms", "other ms", "ratio", "goal", "reached"]
  return format_table([header] + [measure(case, turns=turns) for case in cases])


def tabular_table(torch: Any, problem: sweep.Problem) -> str:
  """Trains every seed with ERM and mixup, all at once and in a plain loop.

  Both train the network of the paper, 2 x 128 ReLU, with Adam for 10 epochs of
  batches of 16, on the same splits.
  """
  mesh = sharding.make_mesh()
  model = models.build("mlp", num_classes=problem.num_classes)
  run = sweep.make_run(model,
                       optim.build("adam", learning_rate=1e-3),
                       batch_size=16,
                       epochs=10)
  program = sweep.make_program(run, mesh)
  train = lambda: sweep.train(program, problem, mesh=mesh, alphas=(0.0, 0.2))
  start = time.perf_counter()
  train()
  first = time.perf_counter() - start
  start = time.perf_counter()
  ours = train()["error"].mean(0)
  second = time.perf_counter() - start
  start = time.perf_counter()
  other = np.mean(
      [[torch_run(torch, problem, seed, alpha)
        for alpha in (0.0, 0.2)]
       for seed in range(len(problem.splits.train_rows))], 0)
  loop = time.perf_counter() - start
  cell = lambda x: f"{x:.2f}"
  return format_table([
      ["way", "seconds", "times faster", "ERM error %", "mixup error %"],
      ["PyTorch, a loop over seeds",
       cell(loop), "1.00", *map(cell, other)],
      [
          "one program, compiled before",
          cell(second),
          cell(loop / second), *map(cell, ours)
      ],
      [
          "one program, with compilation",
          cell(first),
          cell(loop / first), *map(cell, ours)
      ],
  ])


def load_problem(arguments: argparse.Namespace) -> sweep.Problem:
  """Loads the table that the command line names, or ends with what is wrong."""
  try:
    table = tables.load(arguments.dataset, arguments.data_dir)
  except (ValueError, FileNotFoundError) as error:
    sys.exit(f"error: {error}")
  return sweep.split_problem(tables.encode(table,
                                           categorical="one_hot",
                                           missing="mean"),
                             num_seeds=arguments.seeds,
                             first_seed=0,
                             train_fraction=0.5,
                             scaling="min_max")


def torch_run(torch: Any, problem: sweep.Problem, seed: int,
              alpha: float) -> float:
  """Trains one network with PyTorch, and returns its test error in per cent."""
  torch.manual_seed(seed)
  split = jax.tree.map(lambda x: x[seed], problem.splits)
  scaled = torch.from_numpy(np.array(split.scaled(problem.features)))
  labels = torch.from_numpy(problem.labels).long()
  train_rows, test_rows = (torch.from_numpy(rows).long()
                           for rows in (split.train_rows, split.test_rows))
  nn = torch.nn
  net = nn.Sequential(nn.Linear(scaled.shape[1], 128), nn.ReLU(),
                      nn.Linear(128, 128), nn.ReLU(),
                      nn.Linear(128, problem.num_classes))
  optimizer = torch.optim.Adam(net.parameters())
  for _ in range(10):
    for rows in train_rows[torch.randperm(len(train_rows))].split(16):
      optimizer.zero_grad()
      if alpha:
        x, y, partner_y, lam = torch_mixup(torch, scaled[rows], labels[rows],
                                           alpha)
        logits = net(x)
        loss = (lam * nn.functional.cross_entropy(logits, y) +
                (1 - lam) * nn.functional.cross_entropy(logits, partner_y))
      else:
        loss = nn.functional.cross_entropy(net(scaled[rows]), labels[rows])
      loss.backward()
      optimizer.step()
  with torch.no_grad():
    predicted = net(scaled[test_rows]).argmax(1)
  return 100 * float((predicted != labels[test_rows]).float().mean())


def main(argv: Sequence[str] | None = None) -> None:
  """Prints a table of the part that the command line names."""
  parser = argparse.ArgumentParser(prog="python -m experiments.benchmark",
                                   description="Speed, side by side.")
  parts = parser.add_subparsers(dest="part", required=True)
  part = parts.add_parser("transforms", help="mixing, lambdas and losses")
  part.add_argument("--turns", type=int, default=30)
  part = parts.add_parser("tabular", help="all seeds against a PyTorch loop")
  part.add_argument("--dataset", default="iris")
  part.add_argument("--data_dir")
  part.add_argument("--seeds", type=int, default=50)
  arguments = parser.parse_args(argv)
  try:
    import torch  # Only the benchmark extra brings it.
  except ImportError:
    sys.exit("error: the benchmark compares with PyTorch, which is not "
             "installed: pip install -e '.[benchmark]'")
  if arguments.part == "tabular":
    jax.config.update("jax_num_cpu_devices", os.cpu_count())
    problem = load_problem(arguments)
  print(", ".join(f"{k} {v}" for k, v in environment().items()),
        f"torch {torch.__version__}, {torch.get_num_threads()} threads\n",
        sep=", ")
  if arguments.part == "transforms":
    print(transforms_table(torch, arguments.turns))
  else:
    print(tabular_table(torch, problem))


if __name__ == "__main__":
  main()
