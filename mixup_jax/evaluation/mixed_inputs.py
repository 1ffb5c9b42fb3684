"""What classifiers are shown between pairs of images, by method of mixing."""

from typing import Any, Callable, Mapping, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.data import problems
from mixup_jax.results import encoding

Array = jax.Array
PyTree = Any
LAMS = (1.0, 0.8, 0.6, 0.5, 0.4, 0.2, 0.0)


class Codec(NamedTuple):
  """The functions `encode` and `decode` of `transforms.latent`."""

  encode: Callable[[PyTree], PyTree]
  decode: Callable[[PyTree], PyTree]


def mix_images(
  problem: problems.Problem,
  codecs: Callable[[PyTree], Mapping[results.Method, Codec]],
  params: PyTree,
  *,
  count: int,
) -> results.MixedInputs | None:
  """Mixes training images of different classes as each method does.

  Args:
    problem: A set of images; the first split counts.
    codecs: Takes the parameters; returns in which codes each method mixes.
    params: The parameters of an autoencoder, on the device.
    count: The number of pairs.

  Returns:
    A row for each method, with the pairs side by side, as many as there are;
    None if all images are of one class.
  """
  split = jax.tree.map(lambda x: x[0], problem.splits)
  rows = pairs(problem.labels[split.train_rows], count)
  if not len(rows):
    return None
  images = problem.features[split.train_rows[rows]].astype(np.float32)

  @jax.jit
  def mix(params: PyTree, images: Array) -> list[Array]:
    lam = jnp.tile(jnp.asarray(LAMS, jnp.float32), len(rows))
    own, other = (
      jnp.repeat(split.scaled(part), len(LAMS), axis=0)
      for part in (images[:, 0], images[:, 1])
    )
    mixed = []
    for codec in codecs(params).values():
      codes = transforms.interpolate(
        codec.encode(own), codec.encode(other), lam
      )
      mixed.append(codec.decode(codes) * split.scale + split.shift)
    return mixed

  with jax.numpy_rank_promotion("allow"):
    found = jax.device_get(mix(params, jax.device_put(images)))
  tiles = [x.reshape(-1, *problem.image_shape) for x in found]
  return results.MixedInputs(
    rows=[method.label for method in codecs(params)],
    lam=list(LAMS),
    pairs=len(rows),
    png=encoding.encode_png(encoding.tile_images(tiles)),
  )


def pairs(labels: np.ndarray, count: int) -> np.ndarray:
  """Returns positions `[count, 2]`: the first ones of different classes.

  They are fewer if no more are left.
  """
  found: list[tuple[int, int]] = []
  first = 0
  while len(found) < count and first < len(labels):
    others = np.flatnonzero(labels[first + 1 :] != labels[first])
    if not others.size:
      break
    second = first + 1 + int(others[0])
    found.append((first, second))
    first = second + 1
  return np.asarray(found, int).reshape(-1, 2)
