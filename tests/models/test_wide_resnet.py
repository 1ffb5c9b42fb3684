"""Tests of the wide ResNet."""

import json

import chex
from flax import traverse_util
import jax
import jax.numpy as jnp
import pytest

from mixup_jax.models import wide_resnet
from tests.models import torch_vectors

IMAGES = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)


def parameters(widths, blocks, num_classes):
  """Counts parameters as the paper of the network describes it."""
  count, inputs = 9 * 3 * 16, 16
  for width in widths:
    count += 2 * inputs + 9 * inputs * width + 2 * width + 9 * width**2
    count += inputs * width  # The shortcut.
    count += (blocks - 1) * (4 * width + 18 * width**2)
    inputs = width
  return count + 2 * inputs + (inputs + 1) * num_classes


def test_wide_resnet_defaults_have_the_parameters_of_the_paper():
  model = wide_resnet.WideResNet(num_classes=10)
  params = jax.eval_shape(model.init, jax.random.key(0), IMAGES)["params"]
  count = sum(x.size for x in jax.tree.leaves(params))
  assert count == parameters((160, 320, 640), 4, 10) == 36_479_194


def test_wide_resnet_equals_pytorch():
  """Training moves the statistics; evaluation then uses them."""
  model = wide_resnet.WideResNet(num_classes=5, depth=16, width=1)
  x = jnp.asarray(torch_vectors.images())
  variables = torch_vectors.variables(model, x)
  stored = json.loads(torch_vectors.PATH.read_text())["wide"]
  logits, updates = jax.jit(
    lambda v: model.apply(v, x, train=True, mutable=["batch_stats"])
  )(variables)
  chex.assert_trees_all_close(logits, jnp.asarray(stored["train"]), atol=2e-5)
  logits = jax.jit(model.apply)({**variables, **updates}, x)
  chex.assert_trees_all_close(logits, jnp.asarray(stored["eval"]), atol=2e-5)


def test_wide_resnet_mix_sees_what_enters_each_stage():
  model = wide_resnet.WideResNet(num_classes=10)
  seen = []

  def mix(depth, h):
    seen.append((depth, *h.shape[1:]))
    return h

  jax.eval_shape(
    lambda key, x: model.init(key, x, mix=mix), jax.random.key(0), IMAGES
  )
  assert seen == [
    (0, 32, 32, 3),
    (1, 32, 32, 16),
    (2, 32, 32, 160),
    (3, 16, 16, 320),
    (4, 8, 8, 640),
  ]


def test_wide_resnet_starts_from_the_initial_values_of_its_authors():
  model = wide_resnet.WideResNet(num_classes=50, depth=10, width=2)
  key = jax.random.key(0, impl="rbg")  # Compiles in a third of the time.
  params = jax.jit(model.init)(key, jnp.ones((1, 8, 8, 3)))["params"]
  for path, leaf in traverse_util.flatten_dict(jax.device_get(params)).items():
    if path[-1] == "scale":
      assert 0 <= leaf.min() < 0.25 and 0.75 < leaf.max() <= 1
    elif path[-1] == "bias":
      assert not leaf.any()
    else:
      fan_in = leaf[..., 0].size
      assert abs(leaf.std() * (fan_in / 2) ** 0.5 - 1) < 0.1, path
      assert abs(leaf).max() > 2.5 * leaf.std()  # Not uniform.


def test_wide_resnet_scales_may_start_at_one(getkey):
  model = wide_resnet.WideResNet(
    num_classes=2, depth=10, width=2, bn_scale="ones"
  )
  x = jnp.ones((1, 8, 8, 3))
  scale = jax.jit(
    lambda key: model.init(key, x)["params"]["stage2_block1"]["norm2"]["scale"]
  )(getkey())
  assert (scale == 1).all()


def test_wide_resnet_refuses_bad_fields():
  build = wide_resnet.WideResNet
  with pytest.raises(ValueError, match="6n [+] 4 .* got 27: the nearest is 28"):
    build(num_classes=2, depth=27)
  with pytest.raises(ValueError, match="bn_scale 'half'"):
    build(num_classes=2, bn_scale="half")
  with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got -1"):
    build(num_classes=2, dropout=-1)
