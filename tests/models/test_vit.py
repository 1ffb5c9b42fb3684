"""Tests of the vision transformer."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from mixup_jax import models
from tests.models import torch_vectors


def num_parameters(name, size, num_classes):
  model = models.build(name, num_classes=num_classes)
  x = jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), x)
  return sum(leaf.size for leaf in jax.tree.leaves(shapes))


def test_vit_s16_has_the_published_parameters():
  """timm's vit_small_patch16_224 has 22,050,664, a class token included."""
  class_token_and_its_position = 2 * 384
  assert (
    num_parameters("vit_s16", 224, 1000) + class_token_and_its_position
    == 22_050_664
  )


def test_vit_s4_has_smaller_patches_and_as_many_positions_as_these():
  patches = (32 // 4) ** 2
  fewer = 16 * 16 * 3 * 384 - 4 * 4 * 3 * 384
  fewer += (196 - patches) * 384 + 990 * (384 + 1)
  expected = num_parameters("vit_s16", 224, 1000) - fewer
  assert num_parameters("vit_s4", 32, 10) == expected


@pytest.fixture
def tiny():
  """Returns a model, variables without zeros and a batch."""
  model = models.build("vit_s4", num_classes=3, depth=1, width=8, heads=2)
  x = jnp.asarray(torch_vectors.numbers("x", (2, 8, 12, 3)))
  return model, torch_vectors.variables(model, x), x


def test_vit_computes_patches_attention_and_perceptron(tiny):
  """Compares with loops over heads and tokens in float64."""
  model, variables, x = tiny
  params = jax.tree.map(lambda p: np.asarray(p, np.float64), variables)[
    "params"
  ]

  def dense(y, layer):
    return y @ layer["kernel"] + layer["bias"]

  def norm(y, layer):
    y = (y - y.mean(-1, keepdims=True)) / np.sqrt(
      y.var(-1, keepdims=True) + 1e-6
    )
    return y * layer["scale"] + layer["bias"]

  def attention(y, block):
    q, k, v = (dense(y, block[name]) for name in ("query", "key", "value"))
    heads = [
      scipy.special.softmax(q[:, part] @ k[:, part].T / np.sqrt(4), axis=-1)
      @ v[:, part]
      for part in (slice(0, 4), slice(4, 8))
    ]
    return dense(np.concatenate(heads, axis=-1), block["out"])

  def logits(image):
    kernel = params["stem"]["kernel"].reshape(-1, 8)
    patches = [
      image[row : row + 4, column : column + 4].reshape(-1)
      for row in (0, 4)
      for column in (0, 4, 8)
    ]
    tokens = np.stack(patches) @ kernel + params["stem"]["bias"]
    tokens = tokens + params["positions"][0]
    block = params["block1"]
    tokens = tokens + attention(norm(tokens, block["norm1"]), block)
    hidden = dense(norm(tokens, block["norm2"]), block["hidden"])
    hidden = hidden * scipy.special.ndtr(hidden)  # The exact GELU.
    tokens = tokens + dense(hidden, block["last"])
    return dense(norm(tokens, params["final_norm"]).mean(0), params["head"])

  expected = np.stack([logits(image) for image in np.asarray(x, np.float64)])
  np.testing.assert_allclose(model.apply(variables, x), expected, rtol=1e-4)


def test_vit_starts_from_equal_classes_and_small_positions(getkey):
  model = models.build("vit_s4", num_classes=3, depth=1, width=32, heads=2)
  x = jax.random.normal(getkey(), (2, 32, 32, 3))
  variables = model.init(getkey(), x)
  params = variables["params"]
  chex.assert_trees_all_equal(model.apply(variables, x), jnp.zeros((2, 3)))
  assert params["positions"].shape == (1, 64, 32)
  np.testing.assert_allclose(params["positions"].std(), 0.02, rtol=0.1)
  for name in ("query", "key", "value", "out"):
    kernel = params["block1"][name]["kernel"]
    assert 0.9 < jnp.abs(kernel).max() / np.sqrt(6 / (32 + 32)) <= 1


@pytest.mark.parametrize(
  "fields, message",
  [
    (
      {"heads": 5},
      "width 384 cannot be shared by 5 heads: use a multiple of 5",
    ),
    ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1"),
  ],
)
def test_vit_refuses_bad_fields(fields, message):
  with pytest.raises(ValueError, match=message):
    models.build("vit_s4", num_classes=3, **fields)


def test_vit_refuses_images_that_patches_do_not_fill(tiny):
  model, variables, x = tiny
  with pytest.raises(ValueError, match="8 x 10 pixels have no patches of 4"):
    model.apply(variables, x[:, :, :10])
