"""Images before and after attacks, as one small picture."""

from typing import Any

import jax
import numpy as np

from experiments.adversarial import attack
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.results import encoding
from mixup_jax.train import state as states


def make(
  config: Any,
  program: attack.Program,
  networks: dict[str, states.TrainState],
  examples: tuple[np.ndarray, np.ndarray],
) -> results.Strip:
  """Attacks the first images with the gradient of each network.

  Args:
    config: The config.
    program: The program of the attacks.
    networks: One network a method.
    examples: Images and labels; the batch is as large as the mesh asks.

  Returns:
    A row of originals, and for each network one of what I-FGSM makes of them.
  """
  count = min(config.num_shown, len(examples[1]))
  size = -(-count // program.mesh.size) * program.mesh.size
  batch = next(
    attack.batches(
      (examples[0][:count], examples[1][:count]),
      batch_size=size,
      mesh=program.mesh,
    )
  )
  name = "I-FGSM"
  rows = {"original": batch["pixels"]}
  for method, state in networks.items():
    rows[f"{name} on {method}"] = attack.perturb(
      program,
      state,
      batch,
      attack=attack.known(config)[name],
      epsilon=config.epsilon,
      seed=config.attack_seed,
    )
  gather = jax.jit(lambda x: x, out_shardings=sharding.replicated(program.mesh))
  pixels = [jax.device_get(gather(x))[:count] for x in rows.values()]
  return results.Strip(
    rows=list(rows),
    columns=count,
    png=encoding.encode_png(encoding.tile_images(pixels)),
  )
