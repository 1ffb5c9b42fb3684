"""Proves what the picture of images before and after attacks shows."""

import numpy as np

from configs import adversarial as configs
from experiments.adversarial import attack
from experiments.adversarial import strip
from mixup_jax import sharding
from mixup_jax.results import encoding


def test_originals_come_first_and_a_row_of_each_network_follows(monkeypatch):
  monkeypatch.setattr(
    attack,
    "perturb",
    lambda program, state, batch, **_: batch["pixels"] + state,
  )
  mesh = sharding.make_mesh()
  program = attack.Program(*(None,) * 4, mesh)
  config = configs.get_config("smoke")
  config.num_shown = 3
  images = np.full((5, 4, 4, 1), 100, np.uint8), np.zeros(5, np.int32)
  shown = strip.make(config, program, {"ERM": 20.0, "mixup": 40.0}, images)
  assert shown["rows"] == ["original", "I-FGSM on ERM", "I-FGSM on mixup"]
  picture = encoding.decode_png(shown["png"])
  assert picture.shape == (3 * 6, 3 * 6) and shown["columns"] == 3
  assert [picture[6 * row + 1, 1] for row in range(3)] == [100, 120, 140]
