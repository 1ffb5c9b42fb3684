"""Two networks that play against each other, with ERM and with mixup.

The discriminator tells real points from fake ones. With mixup it is asked for
the share of the real one in a mean of the two, so that its gradient, which is
all that the generator learns from, is smooth in between.
"""

from typing import Any, Callable, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from experiments.gan import batches

Array = jax.Array
PyTree = Any


class Player(NamedTuple):
  """A network while it learns."""

  params: PyTree
  opt_state: PyTree


class Players(NamedTuple):
  """Both of them."""

  generator: Player
  discriminator: Player


class Rules(NamedTuple):
  """How they play.

  Attributes:
    generator: Makes points of noise.
    discriminator: Returns one logit a point.
    tx: The optimiser of both.
    draw: Takes a key and a count, and returns real points `[count, 2]`.
    batch: What the discriminator learns from, a value of
      `batches.BATCHES`.
    alpha: What the batch takes for it.
    generator_loss: A value of `GENERATOR_LOSSES`.
    batch_size: Real points in a batch, and fake ones.
    discriminator_steps: Steps of the discriminator for one of the generator.
    num_latents: The size of the noise.
  """

  generator: nn.Module
  discriminator: nn.Module
  tx: optax.GradientTransformation
  draw: Callable[[Array, int], Array]
  batch: batches.Batch
  alpha: float
  generator_loss: Callable[[Array], Array]
  batch_size: int
  discriminator_steps: int
  num_latents: int


# What the generator minimises, given the logits of its points.
GENERATOR_LOSSES: dict[str, Callable[[Array], Array]] = {
  # log(1 - d), the negative of the loss of the discriminator: the paper's.
  "saturating": lambda logits: -jax.nn.softplus(logits).mean(),
  # -log d, which has a gradient where the discriminator is sure.
  "non_saturating": lambda logits: jax.nn.softplus(-logits).mean(),
}


def begin(rules: Rules, key: Array) -> Players:
  """Initialises both networks and their optimisers."""
  keys = jax.random.split(key)
  sizes = rules.num_latents, rules.draw(jax.random.key(0), 1).shape[-1]
  networks = rules.generator, rules.discriminator
  params = [
    network.init(k, jnp.zeros((1, size)))["params"]
    for network, k, size in zip(networks, keys, sizes)
  ]
  return Players(*(Player(each, rules.tx.init(each)) for each in params))


def generate(rules: Rules, params: PyTree, key: Array, count: int) -> Array:
  """Returns `[count, 2]` fake points of the generator with these parameters."""
  noise = jax.random.normal(key, (count, rules.num_latents))
  return _apply(rules.generator, params, noise)


def play(
  rules: Rules, key: Array, players: Players
) -> tuple[Players, dict[str, Array]]:
  """Does one iteration: the discriminator's steps, and one of the generator.

  Args:
    rules: How they play.
    key: A typed PRNG key, consumed.
    players: Both.

  Returns:
    Both after it, and the mean "loss" of the discriminator over its steps and
    the "generator_loss", in nats.
  """
  key, last = jax.random.split(key)
  generator, discriminator = players

  def draw(k: Array) -> tuple[Array, Array]:
    real_key, fake_key = jax.random.split(k)
    return (
      rules.draw(real_key, rules.batch_size),
      generate(rules, generator.params, fake_key, rules.batch_size),
    )

  def judge(player: Player, data: Array) -> tuple[Player, Array]:
    points, targets = rules.batch(
      jax.random.wrap_key_data(data), draw, rules.alpha
    )

    def loss(params: PyTree) -> Array:
      logits = _apply(rules.discriminator, params, points)[:, 0]
      return optax.sigmoid_binary_cross_entropy(logits, targets).mean()

    return _descend(rules.tx, loss, player)

  def loss(params: PyTree) -> Array:
    points = generate(rules, params, last, rules.batch_size)
    return rules.generator_loss(
      _apply(rules.discriminator, discriminator.params, points)[:, 0]
    )

  # As plain numbers: under vmap a scan turns keys around, which a check of
  # keys that are used twice takes for a use.
  keys = jax.random.key_data(jax.random.split(key, rules.discriminator_steps))
  discriminator, losses = jax.lax.scan(judge, discriminator, keys)
  generator, generator_loss = _descend(rules.tx, loss, generator)
  return Players(generator, discriminator), {
    "loss": losses.mean(),
    "generator_loss": generator_loss,
  }


def _descend(
  tx: optax.GradientTransformation,
  loss: Callable[[PyTree], Array],
  player: Player,
) -> tuple[Player, Array]:
  """Does one step of an optimiser, and returns the loss before it."""
  value, gradient = jax.value_and_grad(loss)(player.params)
  with jax.numpy_dtype_promotion("standard"):  # As optax needs it.
    updates, opt_state = tx.update(gradient, player.opt_state, player.params)
  return Player(optax.apply_updates(player.params, updates), opt_state), value


def _apply(network: nn.Module, params: PyTree, inputs: Array) -> Array:
  """Calls a network; it has parameters alone."""
  outputs: Any = network.apply({"params": params}, inputs)
  return outputs
