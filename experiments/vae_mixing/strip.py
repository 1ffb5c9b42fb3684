"""What the classifiers are shown between a few pairs of images."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.vae_mixing import methods
from experiments.vae_mixing import problems
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.models import vae
from mixup_jax.results import encoding

Array = jax.Array
LAMS = (1.0, 0.8, 0.6, 0.5, 0.4, 0.2, 0.0)
SHOWN = ("mixup", "reconstructions", "codes")


def make(
  source: problems.Source, encoder: vae.VAE, params: Any, *, count: int
) -> results.MixedInputs:
  """Mixes training images of different classes as each method does.

  Args:
    source: The set, with the split that the autoencoder was trained on first.
    encoder: The autoencoder.
    params: Its parameters.
    count: The number of pairs.

  Returns:
    A row for each method, with the pairs side by side.
  """
  problem = source.problem
  split = jax.tree.map(lambda x: x[0], problem.splits)
  rows = pairs(problem.labels[split.train_rows], count)
  images = problem.features[split.train_rows[rows]].astype(np.float32)

  @jax.jit
  def mix(params: Any, images: Array) -> list[Array]:
    lam = jnp.tile(jnp.asarray(LAMS, jnp.float32), count)
    own, other = (
      jnp.repeat(split.scaled(part), len(LAMS), axis=0)
      for part in (images[:, 0], images[:, 1])
    )
    mixed = []
    for name in SHOWN:
      how = methods.view(encoder, params, name)
      codes = transforms.interpolate(
        how["encode"](own), how["encode"](other), lam
      )
      mixed.append(how["decode"](codes) * split.scale + split.shift)
    return mixed

  with jax.numpy_rank_promotion("allow"):
    found = jax.device_get(mix(params, jax.device_put(images)))
  tiles = [x.reshape(-1, *source.picture) * 255 / source.white for x in found]
  return results.MixedInputs(
    rows=[methods.METHODS[name] for name in SHOWN],
    lam=list(LAMS),
    pairs=count,
    png=encoding.encode_png(encoding.tile_images(tiles)),
  )


def pairs(labels: np.ndarray, count: int) -> np.ndarray:
  """Returns `[count, 2]` positions: first ones, with other classes behind."""
  found: list[tuple[int, int]] = []
  first = 0
  while len(found) < count:
    second = first + 1 + int(np.argmax(labels[first + 1 :] != labels[first]))
    found.append((first, second))
    first = second + 1
  return np.asarray(found)
