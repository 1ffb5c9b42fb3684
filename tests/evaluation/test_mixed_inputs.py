"""Tests of the picture of mixed images."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import results
from mixup_jax.data import problems
from mixup_jax.data.in_memory import images
from mixup_jax.evaluation import mixed_inputs
from mixup_jax.models import vae
from mixup_jax.results import encoding

ENCODER = vae.VAE(shape=(64,), latent=2, hidden=(4,))


def codecs(params):
  """Returns mixing of inputs, of reconstructions and of codes."""
  call = functools.partial(ENCODER.apply, {"params": params})

  def same(x):
    return x

  reconstruct = functools.partial(call, method="reconstruct")
  return {
    results.Method("a", "inputs"): mixed_inputs.Codec(same, same),
    results.Method("b", "reconstructions"): mixed_inputs.Codec(
      reconstruct, same
    ),
    results.Method("c", "codes"): mixed_inputs.Codec(
      lambda x: call(x, method="encode")[0],
      functools.partial(call, method="decode"),
    ),
  }


def test_pairs_are_of_different_classes():
  labels = np.array([3, 3, 3, 1, 2, 2, 5])
  np.testing.assert_array_equal(mixed_inputs.pairs(labels, 2), [[0, 3], [4, 6]])


def test_pairs_are_fewer_if_no_more_are_left():
  for labels, expected in (
    ([0, 1, 0, 0], [[0, 1]]),
    ([0, 1, 0, 0, 1], [[0, 1], [2, 4]]),
    ([0, 1], [[0, 1]]),
  ):
    np.testing.assert_array_equal(
      mixed_inputs.pairs(np.array(labels), 3), expected
    )
  assert mixed_inputs.pairs(np.zeros(3), 2).shape == (0, 2)


def test_mix_images_of_one_class_are_none():
  problem = problems.split_images(
    images.load("digits"), seeds=range(1), train_fraction=0.5, flat=True
  ).limit(1)
  assert mixed_inputs.mix_images(problem, codecs, None, count=2) is None


def test_mix_images_has_images_at_the_ends_and_their_mean_between():
  """With weights of zero the autoencoder decodes grey: shift, in pixels."""
  problem = problems.split_images(
    images.load("digits"), seeds=range(2), train_fraction=0.5, flat=True
  )
  keys = jax.random.split(jax.random.key(0))
  shapes = jax.eval_shape(ENCODER.init, keys[0], jnp.zeros((1, 64)), keys[1])
  params = jax.tree.map(lambda x: jnp.zeros(x.shape), shapes["params"])
  shown = mixed_inputs.mix_images(problem, codecs, params, count=2)
  assert shown["pairs"] == 2
  assert shown["rows"] == ["inputs", "reconstructions", "codes"]
  picture = encoding.decode_png(shown["png"])
  lams = len(mixed_inputs.LAMS)
  assert picture.shape == (3 * 10, 2 * lams * 10)

  def tile(row, column):
    return picture[10 * row : 10 * row + 10, 10 * column : 10 * column + 10][
      1:-1, 1:-1
    ]

  rows = problem.splits.train_rows[0]
  own, other = problem.features[
    rows[mixed_inputs.pairs(problem.labels[rows], 2)[1]]
  ].reshape(2, 8, 8)
  np.testing.assert_allclose(tile(0, lams), own, atol=1)
  np.testing.assert_allclose(tile(0, 2 * lams - 1), other, atol=1)
  middle = lams + mixed_inputs.LAMS.index(0.5)
  np.testing.assert_allclose(
    tile(0, middle), own.astype(float) / 2 + other / 2.0, atol=1
  )
  for row in (1, 2):
    np.testing.assert_allclose(tile(row, middle), 0.305 * 255, atol=1)
