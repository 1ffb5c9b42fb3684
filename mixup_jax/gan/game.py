"""Two networks that learn against each other, with ERM and with mixup.

The discriminator separates real points from generated ones. With mixup it
predicts the share of the real one in a mean of the two: its gradient, which is
all that the generator learns from, is then smooth in between.
"""

import functools
from typing import Any, Callable, NamedTuple, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from mixup_jax import models
from mixup_jax.data import toy
from mixup_jax.gan import losses
from mixup_jax.train import optim

Array = jax.Array
PyTree = Any


class Player(NamedTuple):
  """The parameters of a network, and the state of its optimizer."""

  params: PyTree
  opt_state: PyTree


class Players(NamedTuple):
  """Both networks of a game."""

  generator: Player
  discriminator: Player


class Game(NamedTuple):
  """Everything that fixes a game but its seed.

  Attributes:
    generator: Returns points `[batch, 2]` of noise `[batch, num_latents]`.
    discriminator: Returns logits `[batch, 1]` of points `[batch, 2]`.
    tx: The optimizer of both.
    centers: `[modes, 2]`, the means of the Gaussians that real points are from.
    make_batch: A value of `losses.DISCRIMINATOR_BATCHES`.
    alpha: The third argument of `make_batch`.
    generator_loss: A value of `losses.GENERATOR_LOSSES`; None is the min-max
      game, in which the generator maximizes what the discriminator minimizes.
    batch_size: Real points in a batch, and generated ones.
    discriminator_steps: Steps of the discriminator for one of the generator.
    num_latents: The size of the noise.
  """

  generator: nn.Module
  discriminator: nn.Module
  tx: optax.GradientTransformation
  centers: np.ndarray
  make_batch: losses.MakeBatch
  alpha: float
  generator_loss: Callable[[Array], Array] | None
  batch_size: int
  discriminator_steps: int
  num_latents: int


def make_game(
  dataset: str,
  *,
  batch: str,
  alpha: float,
  generator_loss: str,
  hidden: Sequence[int],
  learning_rate: float,
  batch_size: int,
  discriminator_steps: int,
  num_latents: int,
) -> Game:
  """Builds the game of section 3.7: two perceptrons, trained by Adam.

  Args:
    dataset: A key of `toy.GAUSSIAN_CENTERS`.
    batch: A key of `losses.DISCRIMINATOR_BATCHES`.
    alpha: Of the distribution of lam.
    generator_loss: A key of `losses.GENERATOR_LOSSES`.
    hidden: The widths of the hidden layers of either network.
    learning_rate: Of either optimizer.
    batch_size: As in `Game`, as the next two.
    discriminator_steps: See there.
    num_latents: See there.

  Returns:
    The game.
  """
  centers = toy.GAUSSIAN_CENTERS[dataset]

  def network(outputs: int) -> nn.Module:
    return models.build("mlp", num_classes=outputs, hidden=tuple(hidden))

  return Game(
    generator=network(centers.shape[-1]),
    discriminator=network(1),
    tx=optim.build("adam", learning_rate=learning_rate),
    centers=centers,
    make_batch=losses.DISCRIMINATOR_BATCHES[batch],
    alpha=alpha,
    generator_loss=losses.GENERATOR_LOSSES[generator_loss],
    batch_size=batch_size,
    discriminator_steps=discriminator_steps,
    num_latents=num_latents,
  )


def init_players(game: Game, key: Array) -> Players:
  """Initializes both networks and their optimizers."""
  keys = jax.random.split(key)
  sizes = game.num_latents, game.centers.shape[-1]
  networks = game.generator, game.discriminator
  params = [
    network.init(k, jnp.zeros((1, size)))["params"]
    for network, k, size in zip(networks, keys, sizes)
  ]
  return Players(*(Player(each, game.tx.init(each)) for each in params))


def generate(game: Game, params: PyTree, key: Array, count: int) -> Array:
  """Returns `[count, 2]` points of the generator with these parameters."""
  noise = jax.random.normal(key, (count, game.num_latents))
  return _apply(game.generator, params, noise)


def iterate(
  game: Game, key: Array, players: Players
) -> tuple[Players, dict[str, Array]]:
  """Does the discriminator's steps, then one of the generator against it.

  Args:
    game: The game.
    key: A typed PRNG key, consumed.
    players: Both networks.

  Returns:
    Both networks, and in nats the mean "loss" of the discriminator over its
    steps and the "generator_loss".
  """
  discriminator_key, generator_key = jax.random.split(key)
  discriminator, loss = _train_discriminator(game, discriminator_key, players)
  generator, generator_loss = _train_generator(
    game, generator_key, Players(players.generator, discriminator)
  )
  return Players(generator, discriminator), {
    "loss": loss,
    "generator_loss": generator_loss,
  }


def _train_discriminator(
  game: Game, key: Array, players: Players
) -> tuple[Player, Array]:
  """Does its steps, each on new points, and returns their mean loss."""
  draw = _draw_from(game, players.generator.params)

  def step(player: Player, data: Array) -> tuple[Player, Array]:
    k = jax.random.wrap_key_data(data)
    points, targets = game.make_batch(k, draw, game.alpha)

    def loss(params: PyTree) -> Array:
      return losses.discriminator_loss(_judge(game, params, points), targets)

    return _descend(game.tx, loss, player)

  # Plain numbers instead of keys: under vmap a scan transposes keys, which the
  # check for keys that are used twice takes for a use.
  keys = jax.random.key_data(jax.random.split(key, game.discriminator_steps))
  player, values = jax.lax.scan(step, players.discriminator, keys)
  return player, values.mean()


def _train_generator(
  game: Game, key: Array, players: Players
) -> tuple[Player, Array]:
  """Does one step, and returns the loss before it."""

  def loss(params: PyTree) -> Array:
    judge = functools.partial(_judge, game, players.discriminator.params)
    if game.generator_loss is None:
      draw = _draw_from(game, params)
      points, targets = game.make_batch(key, draw, game.alpha)
      return -losses.discriminator_loss(judge(points), targets)
    points = generate(game, params, key, game.batch_size)
    return game.generator_loss(judge(points))

  return _descend(game.tx, loss, players.generator)


def _draw_from(game: Game, params: PyTree) -> losses.Draw:
  """Returns what draws real points, and those of a generator."""

  def draw(key: Array) -> tuple[Array, Array]:
    real_key, fake_key = jax.random.split(key)
    return (
      toy.sample_gaussians(real_key, game.centers, game.batch_size),
      generate(game, params, fake_key, game.batch_size),
    )

  return draw


def _descend(
  tx: optax.GradientTransformation,
  loss: Callable[[PyTree], Array],
  player: Player,
) -> tuple[Player, Array]:
  """Does one step of an optimizer, and returns the loss before it."""
  value, gradient = jax.value_and_grad(loss)(player.params)
  with jax.numpy_dtype_promotion("standard"):  # As optax needs it.
    updates, opt_state = tx.update(gradient, player.opt_state, player.params)
  return Player(optax.apply_updates(player.params, updates), opt_state), value


def _judge(game: Game, params: PyTree, points: Array) -> Array:
  """Returns the discriminator's logits, `[batch]`."""
  return _apply(game.discriminator, params, points)[:, 0]


def _apply(network: nn.Module, params: PyTree, inputs: Array) -> Array:
  """Calls a network; it has parameters alone."""
  outputs: Any = network.apply({"params": params}, inputs)
  return outputs
