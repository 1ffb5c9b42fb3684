"""Many seeds of a game at once, compiled, with pictures taken on the way."""

import functools
import math
from typing import Any, Iterator, NamedTuple, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from experiments.gan import game
from mixup_jax import sharding

Array = jax.Array

_BEGIN, _PLAY, _SHOW, _MEASURE = range(4)  # What the keys of a seed are for.
_AT_ONCE = 100  # Iterations of a dispatch: it can be stopped in between.


class State(NamedTuple):
  """What a run carries; every array has an axis of seeds first.

  Attributes:
    players: Both networks.
    shown: `[seeds, snapshots, points, 2]`, zeros where none is taken yet.
  """

  players: game.Players
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
  rules: game.Rules,
  *,
  num_seeds: int,
  snapshots: Sequence[int],
  num_shown: int,
  num_points: int,
  mesh: sharding.Mesh,
) -> Program:
  """Compiles a game for several seeds, which play side by side.

  Args:
    rules: How they play.
    num_seeds: How many; they are a range.
    snapshots: After which iterations to keep points.
    num_shown: How many points those are; their noise is the same each time.
    num_points: How many points `sample` makes.
    mesh: The data mesh; every device of it does the same.

  Returns:
    The program.
  """

  def keys(seed: Array, purpose: int) -> Array:
    """Returns a key for each seed."""
    seeds = seed + jnp.arange(num_seeds, dtype=jnp.uint32)

    def one(s: Array) -> Array:
      return jax.random.split(jax.random.key(s), 4)[purpose]

    return jax.vmap(one)(seeds)

  def generate(state: game.Players, k: Array, count: int) -> Array:
    make = functools.partial(game.generate, rules, count=count)
    return jax.vmap(make)(state.generator.params, k)

  def init(seed: Array) -> State:
    players = jax.vmap(functools.partial(game.begin, rules))(keys(seed, _BEGIN))
    return State(players, jnp.zeros((num_seeds, len(snapshots), num_shown, 2)))

  def step(
    seed: Array, state: State, numbers: Array
  ) -> tuple[State, dict[str, Array]]:
    play, show = keys(seed, _PLAY), keys(seed, _SHOW)

    def iterate(state: State, number: Array) -> tuple[State, dict[str, Array]]:
      # Clones: a new number each time is what makes one key enough.
      own = jax.vmap(jax.random.fold_in, in_axes=(0, None))(
        jax.random.clone(play), number
      )
      players, metrics = jax.vmap(functools.partial(game.play, rules))(
        own, state.players
      )
      due = number + 1 == jnp.asarray(snapshots, jnp.int32)
      # Outside of vmap, where a condition would compute both of its sides.
      shown = jax.lax.cond(
        due.any(),
        lambda: jnp.where(
          due[:, None, None],
          generate(players, jax.random.clone(show), num_shown)[:, None],
          state.shown,
        ),
        lambda: state.shown,
      )
      return State(players, shown), jax.tree.map(jnp.mean, metrics)

    return jax.lax.scan(iterate, state, numbers)

  def sample(seed: Array, state: State) -> Array:
    return generate(state.players, keys(seed, _MEASURE), num_points)

  same = sharding.replicated(mesh)
  return Program(
    jax.jit(init, out_shardings=same),
    jax.jit(step, donate_argnums=1, out_shardings=same),
    jax.jit(sample, out_shardings=same),
    mesh,
  )


def numbers(program: Program, first: int, every: int) -> Iterator[Any]:
  """Yields the numbers of iterations, some at a time.

  Args:
    program: The program that takes them.
    first: The first of them.
    every: A multiple of it is always an end, to measure there.

  Yields:
    `[iterations]` int32.
  """
  size = math.gcd(_AT_ONCE, every)
  while True:
    end = (first // size + 1) * size
    yield sharding.put(
      np.arange(first, end, dtype=np.int32), sharding.replicated(program.mesh)
    )
    first = end
