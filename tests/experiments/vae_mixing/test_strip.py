"""Proves what the picture of mixed images shows."""

import jax
import jax.numpy as jnp
import numpy as np

from configs import vae_mixing as configs
from experiments.vae_mixing import problems
from experiments.vae_mixing import strip
from mixup_jax.models import vae
from mixup_jax.results import encoding


def test_pairs_are_of_different_classes():
  labels = np.array([3, 3, 3, 1, 2, 2, 5])
  np.testing.assert_array_equal(strip.pairs(labels, 2), [[0, 3], [4, 6]])


def test_images_are_at_the_ends_and_their_mean_between():
  """With weights of zero the autoencoder decodes grey: shift, in pixels."""
  source = problems.load(configs.get_config("smoke"), "digits")
  encoder = vae.VAE(shape=(64,), latent=2, hidden=(4,))
  keys = jax.random.split(jax.random.key(0))
  shapes = jax.eval_shape(encoder.init, keys[0], jnp.zeros((1, 64)), keys[1])
  params = jax.tree.map(lambda x: jnp.zeros(x.shape), shapes["params"])
  shown = strip.make(source, encoder, params, count=2)
  assert shown["pairs"] == 2 and len(shown["rows"]) == 3
  picture = encoding.decode_png(shown["png"])
  lams = len(strip.LAMS)
  assert picture.shape == (3 * 10, 2 * lams * 10)

  def tile(row, column):
    return picture[10 * row : 10 * row + 10, 10 * column : 10 * column + 10][
      1:-1, 1:-1
    ]

  problem = source.problem
  rows = problem.splits.train_rows[0]
  own, other = problem.features[
    rows[strip.pairs(problem.labels[rows], 2)[1]]
  ].reshape(2, 8, 8)
  np.testing.assert_allclose(tile(0, lams), own, atol=1)
  np.testing.assert_allclose(tile(0, 2 * lams - 1), other, atol=1)
  middle = lams + strip.LAMS.index(0.5)
  np.testing.assert_allclose(
    tile(0, middle), own.astype(float) / 2 + other / 2.0, atol=1
  )
  for row in (1, 2):
    np.testing.assert_allclose(tile(row, middle), 0.305 * 255, atol=1)
