"""Iterations of the GAN of section 3.7, beside a plain PyTorch loop.

Both sides play ERM on the ring with the paper's sizes, alternately. The last
lines of the table show what limits ours: the matrix products of an iteration,
and how near it comes to the speed of these alone.
"""

import statistics
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from configs import gan as configs
from experiments.benchmark import timing
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data import toy
from mixup_jax.gan.game import make_game
from mixup_jax.gan.program import make_program

_ITERATIONS = 10  # Of a turn.


def paper_config(width: int) -> Any:
  """Returns the config of the section, with layers of another width."""
  config = configs.get_config()
  config.hidden = (width,) * len(config.hidden)
  return config


def table(torch: Any, config: Any, *, seeds: int, turns: int) -> str:
  """Measures both sides alternately.

  Args:
    torch: The module.
    config: The config of the section.
    seeds: The number of seeds that ours plays side by side; PyTorch plays one.
    turns: The number of turns.

  Returns:
    Milliseconds of an iteration of one seed, medians, and what limits ours.
  """
  ours, other = Ours(config, seeds), TorchLoop(torch, config)
  for side in (ours, other):
    side()  # Compiles, and warms up.
  times = [(timing.seconds(ours), timing.seconds(other)) for _ in range(turns)]
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
    game = make_game(
      "ring",
      batch="erm",
      alpha=0.0,
      generator_loss="saturating",
      hidden=config.hidden,
      learning_rate=config.learning_rate,
      batch_size=config.batch_size,
      discriminator_steps=config.discriminator_steps,
      num_latents=config.num_latents,
    )
    self._program = make_program(
      game, num_seeds=seeds, snapshots=(), num_shown=1, num_points=1, mesh=mesh
    )
    self._seed, self._numbers = sharding.put(
      (np.uint32(0), np.arange(_ITERATIONS, dtype=np.int32)),
      sharding.replicated(mesh),
    )
    self._state = self._program.init(self._seed)

  def __call__(self) -> Any:
    self._state, metrics = self._program.step(
      self._seed, self._state, self._numbers
    )
    return metrics


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

  best = min(timing.seconds(repeat) for _ in range(9))
  return 2e-9 * rows * width * width * 50 / best
