"""Iterations of a game, beside a plain PyTorch loop, in one run.

    pip install -e '.[benchmark]'
    python -m experiments.gan.benchmark --seeds=1
    python -m experiments.gan.benchmark --seeds=20

Both play ERM on the ring with the paper's sizes, in turns. The last lines say
what limits ours: how much of an iteration is matrix products, and how near it
comes to the speed of these alone.
"""

import argparse
import statistics
import sys
import time
from typing import Any, Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from configs import gan as configs
from experiments.gan import cells
from experiments.gan import program as programs
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data import toy
from mixup_jax.results import recorder as records

_ITERATIONS = 10  # Of a turn.


def main(argv: Sequence[str] | None = None) -> None:
  """Prints the table."""
  parser = argparse.ArgumentParser(prog="python -m experiments.gan.benchmark")
  parser.add_argument("--seeds", type=int, default=1)
  parser.add_argument("--turns", type=int, default=9)
  parser.add_argument("--width", type=int, default=512)
  arguments = parser.parse_args(argv)
  for name, value in vars(arguments).items():
    if value < 1:
      sys.exit(f"error: --{name} must be at least 1, got {value}.")
  try:
    import torch  # Only the benchmark extra brings it.
  except ImportError:
    sys.exit(
      "error: the benchmark compares with PyTorch, which is not "
      "installed: pip install -e '.[benchmark]'"
    )
  print(
    ", ".join(f"{k} {v}" for k, v in records.environment().items()),
    f"torch {torch.__version__}, {torch.get_num_threads()} threads\n",
    sep=", ",
  )
  config = configs.get_config("dataset=ring,method=erm")
  config.hidden = (arguments.width,) * 3
  print(table(torch, config, seeds=arguments.seeds, turns=arguments.turns))


def table(torch: Any, config: Any, *, seeds: int, turns: int) -> str:
  """Lets both sides take turns.

  Args:
    torch: The module.
    config: The config of the game.
    seeds: How many of ours play side by side; PyTorch plays one.
    turns: How many turns.

  Returns:
    Milliseconds of an iteration of one seed, medians, and what limits ours.
  """
  ours, other = Ours(config, seeds), TorchLoop(torch, config)
  for side in (ours, other):
    side()  # Compiles, and warms up.
  times = [(_seconds(ours), _seconds(other)) for _ in range(turns)]
  each = [(a / seeds / _ITERATIONS, b / _ITERATIONS) for a, b in times]
  mine, theirs = (statistics.median(side) for side in zip(*each))
  ratio = statistics.median(b / a for a, b in each)
  work, peak = gflop(config), matrix_speed(config)
  return results.format_table(
    [
      ["an iteration of one seed", "value"],
      [f"ours, {seeds} side by side (ms)", f"{1e3 * mine:.2f}"],
      ["PyTorch, a loop (ms)", f"{1e3 * theirs:.2f}"],
      ["times faster", f"{ratio:.2f}"],
      ["matrix products (GFLOP)", f"{work:.2f}"],
      ["ours (GFLOP/s)", f"{work / mine:.1f}"],
      ["one such product alone (GFLOP/s)", f"{peak:.1f}"],
      ["ours, share of that (%)", f"{100 * work / mine / peak:.0f}"],
    ]
  )


class Ours:
  """Some iterations a call, of all seeds."""

  def __init__(self, config: Any, seeds: int):
    mesh = sharding.make_mesh(jax.devices()[:1])
    cell = cells.Cell(
      "ring",
      "erm",
      "saturating",
      tuple(config.hidden),
      config.learning_rate,
      0,
      seeds,
      _ITERATIONS,
    )
    self._program = programs.make_program(
      cells.rules(config, cell),
      num_seeds=seeds,
      snapshots=(),
      num_shown=1,
      num_points=1,
      mesh=mesh,
    )
    self._seed, self._numbers = sharding.put(
      (np.uint32(0), np.arange(_ITERATIONS, dtype=np.int32)),
      sharding.replicated(mesh),
    )
    self._state = self._program.init(self._seed)

  def __call__(self) -> None:
    self._state, metrics = self._program.step(
      self._seed, self._state, self._numbers
    )
    jax.block_until_ready(metrics)


class TorchLoop:
  """The same iterations in PyTorch, one after another."""

  def __init__(self, torch: Any, config: Any):
    self._torch, self._config = torch, config
    self._centers = torch.from_numpy(toy.GAUSSIAN_CENTERS["ring"])
    self.generator, self.discriminator = (
      self._network(outputs) for outputs in (2, 1)
    )
    self._optimizers = [
      torch.optim.Adam(network.parameters(), lr=config.learning_rate)
      for network in (self.generator, self.discriminator)
    ]

  def __call__(self) -> None:
    size = self._config.batch_size
    targets = self._torch.cat([self._torch.ones(size), self._torch.zeros(size)])
    for _ in range(_ITERATIONS):
      for _ in range(self._config.discriminator_steps):
        with self._torch.no_grad():
          points = self._torch.cat([self._real(size), self._fake(size)])
        self._descend(1, self._loss(points, targets))
      self._descend(0, -self._loss(self._fake(size), targets[size:]))

  def _network(self, outputs: int) -> Any:
    nn = self._torch.nn
    widths = [2, *self._config.hidden]
    layers = [
      layer
      for pair in zip(widths, widths[1:])
      for layer in (nn.Linear(*pair), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))

  def _real(self, size: int) -> Any:
    modes = self._torch.randint(len(self._centers), (size,))
    noise = self._torch.randn(size, 2)
    return self._centers[modes] + toy.GAUSSIAN_STD * noise

  def _fake(self, size: int) -> Any:
    return self.generator(self._torch.randn(size, 2))

  def _loss(self, points: Any, targets: Any) -> Any:
    logits = self.discriminator(points)[:, 0]
    loss = self._torch.nn.functional.binary_cross_entropy_with_logits
    return loss(logits, targets)

  def _descend(self, player: int, loss: Any) -> None:
    self._optimizers[player].zero_grad()
    loss.backward()
    self._optimizers[player].step()


def gflop(config: Any) -> float:
  """Returns the work of an iteration of ERM in its matrix products."""

  def forward(rows: int, outputs: int) -> float:
    widths = [2, *config.hidden, outputs]
    return 2e-9 * rows * sum(a * b for a, b in zip(widths, widths[1:]))

  size = config.batch_size
  # A gradient costs twice as much again: by the weights, and by the inputs. Of
  # a discriminator that only hands on the gradient, by the inputs alone.
  judged = forward(size, 2) + 3 * forward(2 * size, 1)
  return (
    config.discriminator_steps * judged
    + 3 * forward(size, 2)
    + 2 * forward(size, 1)
  )


def matrix_speed(config: Any) -> float:
  """Returns the GFLOP/s of the product that an iteration does most."""
  width, rows = config.hidden[0], 2 * config.batch_size
  a, b = (jnp.ones(shape) for shape in ((rows, width), (width, width)))
  product = jax.jit(lambda a, b: a @ b)

  def repeat() -> Any:
    return jax.block_until_ready([product(a, b) for _ in range(50)])

  repeat()
  best = min(_seconds(repeat) for _ in range(9))
  return 2e-9 * rows * width * width * 50 / best


def _seconds(thunk: Callable[[], Any]) -> float:
  """Returns how long a call takes."""
  start = time.perf_counter()
  thunk()
  return time.perf_counter() - start


if __name__ == "__main__":
  main()
