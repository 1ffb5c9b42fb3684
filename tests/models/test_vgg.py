"""Tests of VGG-11."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import models


def count(tree):
  return sum(np.prod(x.shape) for x in jax.tree.leaves(tree))


@pytest.mark.parametrize("bins", (160, 161))
def test_vgg_has_the_parameters_of_the_speech_section(bins):
  """Of 160 and of 161 bins 5 x 3 x 512 = 7,680 maps are left."""
  model = models.build("vgg11", num_classes=30)
  variables = jax.eval_shape(
    model.init, jax.random.key(0), jnp.zeros((1, bins, 101, 1))
  )
  params = variables["params"]
  channels = [1, 64, 128, 256, 256, 512, 512, 512, 512]
  convolutions = sum(9 * i * o + o for i, o in zip(channels, channels[1:]))
  norms = 2 * sum(channels[1:])
  head = 7680 * 512 + 512 + 512 * 30 + 30
  assert params["hidden"]["kernel"].shape == (7680, 512)
  assert count(params) == convolutions + norms + head == 13_172_894
  assert count(variables["batch_stats"]) == norms
