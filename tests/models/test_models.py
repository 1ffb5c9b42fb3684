"""Proves that models are built by their names."""

import jax.numpy as jnp
import pytest

from mixup_jax import models


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_keeps_the_protocol(getkey, name):
  model = models.build(name, num_classes=3)
  x = jnp.ones((2, 8))
  variables = model.init(getkey(), x, train=False)
  logits = model.apply(variables, x, train=False, mix=lambda depth, h: h)
  assert logits.shape == (2, 3)


def test_unknown_names_and_sizes_are_refused():
  with pytest.raises(ValueError, match="model 'mpl': choose one of mlp"):
    models.build("mpl", num_classes=3)
  with pytest.raises(TypeError, match="widht"):
    models.build("mlp", num_classes=3, widht=7)
