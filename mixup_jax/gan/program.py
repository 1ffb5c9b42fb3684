"""Many seeds of a game in one compiled program, with snapshots on the way."""

import functools
import math
from typing import Any, Iterator, NamedTuple, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import sharding
from mixup_jax.gan.game import Game
from mixup_jax.gan.game import generate
from mixup_jax.gan.game import init_players
from mixup_jax.gan.game import iterate
from mixup_jax.gan.game import Players
from mixup_jax.train import rngs

Array = jax.Array

# The streams of random numbers of a seed: initial weights, iterations, and the
# noise of snapshots and of measurements, which is the same each time.
_PER_DISPATCH = 100  # Iterations; a run can be stopped between dispatches.


class State(NamedTuple):
  """The state of all seeds; every array has an axis of seeds first.

  Attributes:
    players: Both networks.
    shown: `[seeds, snapshots, points, 2]`, zeros where none is taken yet.
  """

  players: Players
  shown: Array


class Program(NamedTuple):
  """The compiled functions of a game; `seed` is the first of the seeds.

  Attributes:
    init: `(seed)` -> state.
    step: `(seed, state, numbers)` -> the state after the iterations of these
      numbers, `[iterations]`, and their metrics, means over the seeds.
    sample: `(seed, state)` -> points of the generators, `[seeds, points, 2]`.
    mesh: The data mesh.
  """

  init: jax.stages.Wrapped
  step: jax.stages.Wrapped
  sample: jax.stages.Wrapped
  mesh: sharding.Mesh


def make_program(
  game: Game,
  *,
  num_seeds: int,
  snapshots: Sequence[int],
  num_shown: int,
  num_points: int,
  mesh: sharding.Mesh,
) -> Program:
  """Compiles a game for a range of seeds, which are independent.

  Args:
    game: The game.
    num_seeds: The number of seeds.
    snapshots: The iterations after which points are kept.
    num_shown: The number of points in a snapshot.
    num_points: The number of points that `sample` returns.
    mesh: The data mesh; every device does the same.

  Returns:
    The program.
  """
  keys = functools.partial(_keys, num_seeds=num_seeds)

  def init(seed: Array) -> State:
    start = functools.partial(init_players, game)
    players = jax.vmap(start)(keys(seed, "weights"))
    return State(players, jnp.zeros((num_seeds, len(snapshots), num_shown, 2)))

  def step(
    seed: Array, state: State, numbers: Array
  ) -> tuple[State, dict[str, Array]]:
    own, noise = keys(seed, "iterations"), keys(seed, "snapshots")
    body = functools.partial(_iterate, game, tuple(snapshots), own, noise)
    return jax.lax.scan(body, state, numbers)

  def sample(seed: Array, state: State) -> Array:
    noise = keys(seed, "measurements")
    return _generate(game, state.players, noise, num_points)

  same = sharding.replicated(mesh)
  return Program(
    jax.jit(init, out_shardings=same),
    jax.jit(step, donate_argnums=1, out_shardings=same),
    jax.jit(sample, out_shardings=same),
    mesh,
  )


def iteration_numbers(
  mesh: sharding.Mesh, first: int, *, every: int
) -> Iterator[Any]:
  """Yields the numbers of iterations from `first` on, one dispatch at a time.

  Args:
    mesh: The data mesh of the program that takes them.
    first: The number of iterations done.
    every: Iterations between measurements: a dispatch ends at each of them.

  Yields:
    `[iterations]` int32.
  """
  size = math.gcd(_PER_DISPATCH, every)
  while True:
    end = (first // size + 1) * size
    numbers = np.arange(first, end, dtype=np.int32)
    yield sharding.put(numbers, sharding.replicated(mesh))
    first = end


def _keys(seed: Array, stream: str, *, num_seeds: int) -> Array:
  """Returns the key of a stream for each seed, `[seeds]`."""

  def one(number: Array) -> Array:
    return rngs.stream(jax.random.key(number), stream)

  return jax.vmap(one)(seed + jnp.arange(num_seeds, dtype=jnp.uint32))


def _iterate(
  game: Game,
  snapshots: tuple[int, ...],
  keys: Array,
  noise: Array,
  state: State,
  number: Array,
) -> tuple[State, dict[str, Array]]:
  """Does iteration `number` of every seed, and takes a snapshot if it is due.

  Args:
    game: The game.
    snapshots: The iterations after which points are kept.
    keys: `[seeds]`, of all iterations.
    noise: `[seeds]`, the keys of the points that are kept.
    state: The state before the iteration.
    number: The number of iterations done, `[]` int32.

  Returns:
    The state after it, and metrics, means over the seeds.
  """
  # Clones: the number, which is new each time, is what makes one key enough.
  own = jax.vmap(jax.random.fold_in, in_axes=(0, None))(
    jax.random.clone(keys), number
  )
  players, metrics = jax.vmap(functools.partial(iterate, game))(
    own, state.players
  )
  due = number + 1 == jnp.asarray(snapshots, jnp.int32)
  count = state.shown.shape[2]
  # Outside of vmap, where a condition would compute both of its sides.
  shown = jax.lax.cond(
    due.any(),
    lambda: jnp.where(
      due[:, None, None],
      _generate(game, players, jax.random.clone(noise), count)[:, None],
      state.shown,
    ),
    lambda: state.shown,
  )
  return State(players, shown), jax.tree.map(jnp.mean, metrics)


def _generate(game: Game, players: Players, keys: Array, count: int) -> Array:
  """Returns points of every generator, `[seeds, count, 2]`."""
  make = functools.partial(generate, game, count=count)
  return jax.vmap(make)(players.generator.params, keys)
