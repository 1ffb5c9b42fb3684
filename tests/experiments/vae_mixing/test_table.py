"""Proves the paired test against one by hand, and what is pictured."""

import numpy as np
import pytest

from configs import vae_mixing as configs
from experiments.vae_mixing import methods
from experiments.vae_mixing import program
from experiments.vae_mixing import table
from mixup_jax import pictures
from mixup_jax import results


def curves():
  draws = np.random.default_rng(0)
  shown = np.zeros((4, 1, program.NUM_PAIRS, len(program.LAMS), 6))
  shown[0, 0, 1, 2] = np.arange(6) / 5
  names = (methods.INPUT, methods.CODES, methods.RECONSTRUCTIONS)
  return {
      "error": {name: draws.normal(3, 0.1, (4, 1)) for name in methods.NAMES},
      "elbo": [np.full((4, 1), 20.0), np.full((4, 1), 10.0)],
      "shown": {name: shown for name in names}
  }  # yapf: disable


@pytest.fixture(name="config")
def make_config():
  config = configs.get_config()
  config.alphas = (0.2,)
  return config


def test_differences_are_taken_seed_by_seed(config):
  made = curves()
  rows = {(row["method"], row["metric"]): row
          for row in table.rows(config, "digits", made)}  # yapf: disable
  difference = (made["error"]["ERM"] - made["error"][methods.INPUT])[:, 0]
  row = rows["ERM", table.DIFFERENCE]
  np.testing.assert_allclose(row["value"], difference.mean(), atol=1e-4)
  t = difference.mean() / (difference.std(ddof=1) / 2)
  # Student's t of 3 degrees of freedom has this distribution.
  x = abs(t) / 3**.5
  p = 1 - 2 / np.pi * (np.arctan(x) + x / (1 + x**2))
  np.testing.assert_allclose(rows["ERM", table.P_VALUE]["value"], p, rtol=0.01)
  assert (methods.INPUT, table.DIFFERENCE) not in rows
  assert rows["VAE", "ELBO of test inputs (nats)"]["value"] == 10


def test_a_very_small_p_is_not_told_as_0(config):
  made = curves()
  made["error"]["ERM"] = made["error"][
      methods.INPUT] + 5 + 1e-4 * np.arange(4)[:, None]
  row, = (row for row in table.rows(config, "digits", made)
          if (row["method"], row["metric"]) == ("ERM", table.P_VALUE))
  assert 0 < row["value"] < 1e-9
  assert results.mean_and_error(row) == "<0.0001"


def test_pictures(config):
  strips = table.strips(curves(), (2, 3))
  assert [strip["rows"][0] for strip in strips
         ] == [methods.INPUT, methods.CODES, methods.RECONSTRUCTIONS]
  pixels = pictures.decode(strips[0]["png"])
  height, width = 2 * 4 + 2, 3 * 4 + 2  # With a line around.
  assert pixels.shape == (3 * height, 5 * width)
  image = pixels[height:2 * height, 2 * width:3 * width][1:-1:4, 1:-1:4]
  np.testing.assert_array_equal(image,
                                np.rint(255 * np.arange(6) / 5).reshape(2, 3))
