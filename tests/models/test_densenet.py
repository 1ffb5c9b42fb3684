"""Tests of DenseNet-BC."""

import chex
from flax import traverse_util
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.models import densenet
from tests.models import torch_vectors

IMAGES = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)


def parameters(depth, growth, num_classes):
  """Counts parameters as the paper of the network describes it."""
  channels = 2 * growth
  count = 9 * 3 * channels
  for stage in (1, 2, 3):
    for _ in range((depth - 4) // 6):
      count += 2 * channels + 4 * growth * channels
      count += 2 * 4 * growth + 9 * 4 * growth * growth
      channels += growth
    if stage < 3:
      count += 2 * channels + channels * (channels // 2)
      channels //= 2
  return count + 2 * channels + (channels + 1) * num_classes


def test_densenet_defaults_have_the_parameters_and_maps_of_the_paper():
  model = densenet.DenseNet(num_classes=10)
  seen = []

  def mix(depth, h):
    seen.append((depth, *h.shape[1:]))
    return h

  params = jax.eval_shape(
    lambda key, x: model.init(key, x, mix=mix), jax.random.key(0), IMAGES
  )["params"]
  count = sum(x.size for x in jax.tree.leaves(params))
  assert count == parameters(190, 40, 10) == 25_624_430
  # 80 + 31 * 40 = 1320, halved 660; 660 + 1240 = 1900, halved 950; 2190.
  assert seen == [
    (0, 32, 32, 3),
    (1, 32, 32, 80),
    (2, 16, 16, 660),
    (3, 8, 8, 950),
    (4, 8, 8, 2190),
  ]


@pytest.fixture(scope="module")
def tiny():
  """Returns parameters, maps by depth, and what each bottleneck returned."""
  model = densenet.DenseNet(num_classes=2, depth=10, growth=4)
  x = jnp.asarray(torch_vectors.images())
  variables = torch_vectors.variables(model, x)

  @jax.jit
  def run(variables):
    maps = {}

    def mix(depth, h):
      maps[depth] = h
      return h

    def bottlenecks(module, _):
      return isinstance(module, densenet.Bottleneck)

    _, seen = model.apply(
      variables,
      x,
      mix=mix,
      capture_intermediates=bottlenecks,
      mutable=["intermediates"],
    )
    return maps, seen["intermediates"]

  maps, seen = run(variables)
  return (
    variables["params"],
    maps,
    {name: layer["__call__"][0] for name, layer in seen.items()},
  )


def test_densenet_bottleneck_appends_to_its_input(tiny):
  _, maps, bottlenecks = tiny
  last = bottlenecks["stage3_block1"]
  chex.assert_shape(last, (8, 4, 4, 5 + 4))
  chex.assert_trees_all_equal(last[..., :5], maps[3])
  chex.assert_trees_all_equal(last, maps[4])


def test_densenet_transition_equals_one_by_hand(tiny):
  """BatchNorm, ReLU, a 1x1 convolution, and the mean of each 2x2."""
  params, maps, bottlenecks = jax.device_get(tiny)
  h = bottlenecks["stage1_block1"] / np.sqrt(1 + 1e-5)
  norm = params["transition1_norm"]
  h = np.maximum(0, h * norm["scale"] + norm["bias"])
  h = h @ params["transition1_conv"]["kernel"][0, 0]
  h = h.reshape(8, 8, 2, 8, 2, 6).mean((2, 4))
  np.testing.assert_allclose(maps[2], h, rtol=1e-5, atol=1e-5)


def test_densenet_starts_from_the_initial_values_of_its_authors():
  model = densenet.DenseNet(num_classes=50, depth=10, growth=12)
  key = jax.random.key(0, impl="rbg")  # Compiles in a third of the time.
  params = jax.jit(model.init)(key, jnp.ones((1, 8, 8, 3)))["params"]
  for path, leaf in traverse_util.flatten_dict(jax.device_get(params)).items():
    if path[-1] == "scale":
      assert (leaf == 1).all()
    elif path[-1] == "bias":
      assert not leaf.any()
    elif path[0] == "head":
      assert 0.98 < abs(leaf).max() * leaf.shape[0] ** 0.5 <= 1
    else:
      fan_out = leaf[..., 0, :].size
      assert abs(leaf.std() * (fan_out / 2) ** 0.5 - 1) < 0.12, path


def test_densenet_refuses_bad_fields():
  build = densenet.DenseNet
  with pytest.raises(ValueError, match="got 101: the nearest is 100"):
    build(num_classes=2, depth=101)
  with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got 1"):
    build(num_classes=2, dropout=1)
