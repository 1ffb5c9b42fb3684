"""Tests of ResNet and ResNeXt."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import models
from mixup_jax import sharding
from mixup_jax.models import resnet
from tests.models import torch_vectors

COUNTS = {
  "resnet50": 25_557_032,
  "resnet101": 44_549_160,
  "resnext101_32x4d": 44_177_704,
  "resnext101_64x4d": 83_455_272,
}
TINY = dict(num_classes=3, blocks=(1, 1), width=4, stem="small")


def setup(rows=8, **fields):
  model = models.build("resnet50", **{**TINY, **fields})
  x = jnp.asarray(torch_vectors.numbers("x", (rows, 8, 8, 3)))
  return model, torch_vectors.variables(model, x), x


def train(model, variables, x, where=None):
  return jax.jit(
    lambda v, x: model.apply(
      v, x, train=True, where=where, mutable=["batch_stats"]
    )
  )(variables, x)


@pytest.mark.parametrize("name", COUNTS)
def test_resnet_has_the_published_parameters(name):
  model = models.build(name, num_classes=1000)
  shapes = jax.eval_shape(
    model.init, jax.random.key(0), jnp.zeros((1, 224, 224, 3))
  )
  count = sum(np.prod(x.shape) for x in jax.tree.leaves(shapes["params"]))
  assert count == COUNTS[name]
  if name.startswith("resnext"):
    groups = 64 if "64" in name else 32
    kernel = shapes["params"]["stage1_block1"]["conv2"]["kernel"]
    assert kernel.shape == (3, 3, 4, 4 * groups)


def test_resnet_halves_the_maps_of_imagenet_five_times():
  model = models.build("resnet50", num_classes=1000)
  sizes = []

  def mix(depth, h):
    sizes.append(h.shape[1:])
    return h

  x = jnp.zeros((1, 224, 224, 3))
  jax.eval_shape(lambda x: model.init(jax.random.key(0), x, mix=mix), x)
  assert sizes == [
    (224, 224, 3),
    (56, 56, 64),
    (56, 56, 256),
    (28, 28, 512),
    (14, 14, 1024),
    (7, 7, 2048),
  ]


def test_resnet_block_starts_as_its_shortcut(getkey):
  model = models.build("resnet50", **{**TINY, "blocks": (2,)})
  x = jax.random.normal(getkey(), (4, 8, 8, 3))
  variables = model.init(getkey(), x)
  params = variables["params"]
  for name in ("stage1_block1", "stage1_block2"):
    assert not params[name]["norm3"]["scale"].any()
    assert (params[name]["norm1"]["scale"] == 1).all()
  maps = {}

  def keep(module, _):
    return "block" in (module.name or "")

  _, state = model.apply(
    variables, x, capture_intermediates=keep, mutable=["intermediates"]
  )
  maps = state["intermediates"]
  first, second = (maps[f"stage1_block{i}"]["__call__"][0] for i in (1, 2))
  chex.assert_trees_all_close(first, second)  # Not negative: so is relu.
  assert first.any()
  np.testing.assert_allclose(params["head"]["kernel"].std(), 0.01, rtol=0.5)


def test_bn_group_size_gives_groups_their_own_statistics():
  model, variables, x = setup(bn_group_size=4)
  whole = model.clone(bn_group_size=0)
  # Only the first layer is the same for both halves: so compare it alone.
  logits, updates = train(model, variables, x)
  halves = [train(whole, variables, part) for part in (x[:4], x[4:])]
  chex.assert_trees_all_close(
    logits, jnp.concatenate([h[0] for h in halves]), rtol=1e-4, atol=1e-5
  )
  mean = jax.tree.map(lambda a, b: (a + b) / 2, halves[0][1], halves[1][1])
  chex.assert_trees_all_close(updates, mean, rtol=1e-4, atol=1e-6)
  one = train(model.clone(bn_group_size=8), variables, x)
  chex.assert_trees_all_close(one, train(whole, variables, x), rtol=1e-5)


def test_bn_group_size_on_one_device_needs_no_collectives():
  """But the mean over the groups, of the running statistics, at the end."""
  mesh = sharding.make_mesh()
  model, variables, _ = setup(rows=16)
  rows = jax.ShapeDtypeStruct(
    (32, 8, 8, 3), jnp.float32, sharding=sharding.sharded(mesh)
  )

  def place(x):
    return jax.ShapeDtypeStruct(
      x.shape, x.dtype, sharding=sharding.replicated(mesh)
    )

  variables = jax.tree.map(place, variables)

  def collectives(size):
    grouped = model.clone(bn_group_size=size)

    def logits(v, x):
      return grouped.apply(v, x, train=True, mutable=["batch_stats"])[0]

    jit = jax.jit(logits, out_shardings=sharding.sharded(mesh))
    text = jit.lower(variables, rows).compile().as_text()
    return text.count("all-reduce(") + text.count("all-reduce-start(")

  assert collectives(4) == 0 < collectives(0)


def test_resnet_refuses_bad_fields_and_batches_without_groups():
  model, variables, x = setup(bn_group_size=3)
  with pytest.raises(ValueError, match="8 rows has no groups of 3 for Batch"):
    train(model, variables, x)
  model.apply(variables, x)  # Evaluation needs no groups.
  with pytest.raises(ValueError, match="bn_group_size must be at least 2"):
    models.build("resnet50", num_classes=3, bn_group_size=1)
  with pytest.raises(ValueError, match="unknown stem 'tiny': choose one of"):
    models.build("resnet50", num_classes=3, stem="tiny")


@pytest.mark.parametrize("groups", (1, 4))
def test_resnet_block_equals_pytorch(groups):
  """Forward, of a strided block with a shortcut, on the same weights."""
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  fields = {"groups": groups} | ({"group_width": 2} if groups > 1 else {})
  model, variables, x = setup(**fields)
  params = jax.device_get(variables["params"])
  stats = jax.device_get(variables["batch_stats"])

  def conv(y, path, **options):
    kernel = params
    for key in path:
      kernel = kernel[key]
    weight = torch.tensor(np.array(kernel["kernel"].transpose(3, 2, 0, 1)))
    return torch.nn.functional.conv2d(
      y, weight, padding=weight.shape[-1] // 2, **options
    )

  def norm(y, path):
    own, running = params, stats
    for key in path:
      own, running = own[key], running[key]
    tensors = [
      torch.tensor(np.array(each))
      for each in (running["mean"], running["var"], own["scale"], own["bias"])
    ]
    return torch.nn.functional.batch_norm(y, *tensors, eps=1e-5)

  def block(y, name, stride):
    z = torch.relu(norm(conv(y, (name, "conv1")), (name, "norm1")))
    z = conv(z, (name, "conv2"), stride=stride, groups=groups)
    z = torch.relu(norm(z, (name, "norm2")))
    z = norm(conv(z, (name, "conv3")), (name, "norm3"))
    y = norm(
      conv(y, (name, "shortcut"), stride=stride), (name, "shortcut_norm")
    )
    return torch.relu(y + z)

  y = torch.tensor(np.array(x).transpose(0, 3, 1, 2))
  y = torch.relu(norm(conv(y, ("stem",)), ("stem_norm",)))
  y = block(block(y, "stage1_block1", 1), "stage2_block1", 2)
  expected = y.mean((2, 3)).numpy() @ params["head"]["kernel"]
  expected += params["head"]["bias"]
  np.testing.assert_allclose(
    jax.jit(model.apply)(variables, x), expected, rtol=1e-3, atol=1e-4
  )


def test_grouped_batch_norm_leaves_out_padding():
  """One group has padding, and one is padding alone."""
  x = jax.random.normal(jax.random.key(0), (6, 2, 2, 3)) + 5
  where = jnp.array([True, True, True, False, False, False])
  x = jnp.where(where[:, None, None, None], x, jnp.nan)
  layer = resnet.GroupedBatchNorm(2, use_running_average=False)
  variables = layer.init(jax.random.key(0), x[:2])
  y, updates = layer.apply(variables, x, where, mutable=["batch_stats"])
  (first, second), stats = (x[:2], x[2:3]), updates["batch_stats"]
  for name, of_group, start in (("mean", jnp.mean, 0.0), ("var", jnp.var, 1.0)):
    groups = [of_group(group, axis=(0, 1, 2)) for group in (first, second)]
    chex.assert_trees_all_close(
      stats[name], 0.9 * start + 0.1 * sum(groups) / 2, rtol=1e-4
    )
  chex.assert_trees_all_close(
    y[:2],
    (first - first.mean(axis=(0, 1, 2), keepdims=True))
    / jnp.sqrt(first.var(axis=(0, 1, 2), keepdims=True) + 1e-5),
    atol=1e-4,
  )
  chex.assert_tree_all_finite((y[:3], stats))


def test_grouped_batch_norm_gradient_is_finite_beside_padding_that_is_nan():
  x = jnp.ones((4, 2, 2, 3)).at[2:].set(jnp.nan)
  where = jnp.array([True, True, False, False])
  layer = resnet.GroupedBatchNorm(2, use_running_average=False)
  variables = layer.init(jax.random.key(0), x[:2])

  def loss(params):
    y, _ = layer.apply(
      {**variables, "params": params}, x, where, mutable=["batch_stats"]
    )
    return jnp.sum(y, where=where[:, None, None, None])

  chex.assert_tree_all_finite(jax.grad(loss)(variables["params"]))
