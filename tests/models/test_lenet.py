"""Tests of LeNet."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import models


def count(tree):
  return sum(np.prod(x.shape) for x in jax.tree.leaves(tree))


@pytest.mark.parametrize("bins", (160, 161))
def test_lenet_has_the_parameters_of_the_speech_section(bins):
  """Of 160 and of 161 bins 37 x 22 x 20 = 16,280 maps are left."""
  model = models.build("lenet", num_classes=30)
  shapes = jax.eval_shape(
    model.init, jax.random.key(0), jnp.zeros((1, bins, 101, 1))
  )["params"]
  assert shapes["hidden"]["kernel"].shape == (16_280, 1000)
  assert count(shapes["conv1"]) == 5 * 5 * 1 * 20 + 20
  assert count(shapes["conv2"]) == 5 * 5 * 20 * 20 + 20
  assert count(shapes) == 520 + 10_020 + 16_281_000 + 30_030


def test_lenet_drops_whole_maps_behind_the_second_convolution(getkey):
  model = models.build("lenet", num_classes=3, width=16, hidden=4, dropout=0.5)
  x = jnp.ones((2, 20, 20, 1))
  variables = model.init(getkey(), x)
  maps = []
  model.apply(
    variables,
    x,
    train=True,
    mix=lambda depth, h: maps.append(h) or h,
    rngs={"dropout": getkey()},
  )
  behind = np.asarray(maps[2])
  dropped = (behind == 0).all((1, 2))
  assert 0.1 < dropped.mean() < 0.95
  # Those of the one example are not those of the other.
  assert (dropped[0] != dropped[1]).any()


def test_lenet_refuses_a_dropout_out_of_range():
  with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got 1"):
    models.build("lenet", num_classes=3, dropout=1.0)
