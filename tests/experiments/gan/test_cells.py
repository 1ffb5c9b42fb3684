"""Proves how games are named, and that rules are those of the config."""

import jax
import numpy as np

from configs import gan as configs
from experiments.gan import batches
from experiments.gan import cells
from experiments.gan import game

CELL = cells.Cell("ring", "mixup", "saturating", (64, 64), 1e-3, 2, 3, 100)


def test_names():
  config = configs.get_config()
  assert CELL.name == ("ring/mixup/saturating/width_64_rate_0.001/seeds_2_to_4")
  assert list(CELL.seeds) == [2, 3, 4]
  assert cells.describe(config, CELL) == "mixup, alpha 0.2"
  code = CELL._replace(method="mixup_code", generator_loss="non_saturating")
  assert (
    cells.describe(config, code)
    == "mixup as in the code, U(0, 0.2), non-saturating"
  )
  assert cells.describe(config, CELL._replace(method="erm")) == "ERM"


def test_rules_are_those_of_the_config():
  rules = cells.rules(configs.get_config(), CELL)
  assert (
    rules.batch_size,
    rules.discriminator_steps,
    rules.alpha,
    rules.num_latents,
  ) == (128, 5, 0.2, 2)
  assert rules.batch is batches.mixed
  assert rules.generator_loss is game.GENERATOR_LOSSES["saturating"]
  sizes = jax.tree.map(
    np.shape, jax.eval_shape(lambda: game.begin(rules, jax.random.key(0)))
  )

  def kernels(player):
    return [player.params[f"Dense_{i}"]["kernel"] for i in range(3)]

  assert kernels(sizes.generator) == [(2, 64), (64, 64), (64, 2)]
  assert kernels(sizes.discriminator) == [(2, 64), (64, 64), (64, 1)]
