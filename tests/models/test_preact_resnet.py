"""Tests of PreAct-ResNet in its three variants."""

import json

import chex
from flax import traverse_util
import jax
import jax.numpy as jnp
import pytest

from mixup_jax.models import preact_resnet
from tests.models import torch_vectors

each_variant = pytest.mark.parametrize("variant", preact_resnet.VARIANTS)


def shapes(model):
  """Returns the shapes of the variables for images of 32x32."""
  x = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
  return jax.eval_shape(model.init, jax.random.key(0), x)


@pytest.mark.parametrize(
  "variant, count",
  (
    ("author", 11_171_146),
    ("official", 11_171_146 + 2 * 64),
    ("modern", 11_171_146 + 2 * 512),
  ),
)
def test_preact_resnet_defaults_have_the_parameters_of_the_paper(
  variant, count
):
  model = preact_resnet.PreActResNet(num_classes=10, variant=variant)
  leaves = jax.tree.leaves(shapes(model)["params"])
  assert sum(x.size for x in leaves) == count


@each_variant
def test_preact_resnet_equals_pytorch(variant):
  """Training moves the statistics; evaluation then uses them."""
  model = preact_resnet.PreActResNet(num_classes=5, width=4, variant=variant)
  x = jnp.asarray(torch_vectors.images())
  variables = torch_vectors.variables(model, x)
  stored = json.loads(torch_vectors.PATH.read_text())[variant]
  logits, updates = jax.jit(
    lambda v: model.apply(v, x, train=True, mutable=["batch_stats"])
  )(variables)
  chex.assert_trees_all_close(logits, jnp.asarray(stored["train"]), atol=2e-5)
  logits = jax.jit(model.apply)({**variables, **updates}, x)
  chex.assert_trees_all_close(logits, jnp.asarray(stored["eval"]), atol=2e-5)


def test_preact_resnet_mix_sees_what_enters_each_stage_and_pooling():
  model = preact_resnet.PreActResNet(num_classes=10)
  seen = []

  def mix(depth, h):
    seen.append((depth, *h.shape[1:]))
    return h

  x = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
  jax.eval_shape(lambda v, x: model.apply(v, x, mix=mix), shapes(model), x)
  assert seen == [
    (0, 32, 32, 3),
    (1, 32, 32, 64),
    (2, 32, 32, 64),
    (3, 16, 16, 128),
    (4, 8, 8, 256),
    (5, 4, 4, 512),
  ]


@each_variant
def test_preact_resnet_activates_only_the_official_stem(variant):
  model = preact_resnet.PreActResNet(
    num_classes=2, width=8, blocks=(1,), variant=variant
  )
  x = jnp.asarray(torch_vectors.images())

  @jax.jit
  def lowest(variables):
    values = {}

    def mix(depth, h):
      values[depth] = h.min()
      return h

    model.apply(variables, x, mix=mix)
    return values

  values = lowest(torch_vectors.variables(model, x))
  assert (values[1] >= 0) == (variant == "official")
  assert values[2] < 0  # Before the last BatchNorm, also in "modern".


def test_preact_resnet_starts_from_the_initial_values_of_pytorch():
  model = preact_resnet.PreActResNet(num_classes=50, width=16, blocks=(1, 1))
  key = jax.random.key(0, impl="rbg")  # Compiles in a third of the time.
  params = jax.jit(model.init)(key, jnp.ones((1, 8, 8, 3)))["params"]
  for path, leaf in traverse_util.flatten_dict(jax.device_get(params)).items():
    if path[-1] == "scale":
      assert 0 <= leaf.min() < 0.25 and 0.75 < leaf.max() <= 1
    elif path[-1] == "bias" and path[0] != "head":
      assert not leaf.any()
    else:
      fan_in = 32 if path[0] == "head" else leaf[..., 0].size
      assert 0.9 < abs(leaf).max() * fan_in**0.5 <= 1, path


def test_preact_resnet_scales_may_start_at_one(getkey):
  model = preact_resnet.PreActResNet(
    num_classes=2, width=16, blocks=(1, 1), bn_scale="ones"
  )
  x = jnp.ones((1, 8, 8, 3))
  scale = jax.jit(
    lambda key: model.init(key, x)["params"]["stage2_block1"]["norm2"]["scale"]
  )(getkey())
  assert (scale == 1).all()


def test_preact_resnet_refuses_bad_fields():
  build = preact_resnet.PreActResNet
  with pytest.raises(ValueError, match="variant 'new': choose one of author"):
    build(num_classes=2, variant="new")
  with pytest.raises(ValueError, match="bn_scale 'half'"):
    build(num_classes=2, bn_scale="half")
  with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got 1.5"):
    build(num_classes=2, dropout=1.5)


def test_preact_block_drops_what_enters_the_second_convolution(getkey):
  model = preact_resnet.PreActResNet(
    num_classes=2, width=4, blocks=(1,), dropout=0.5
  )
  x = jax.random.normal(getkey(), (8, 8, 8, 3))
  variables = jax.jit(model.init)(getkey(), x)
  _, updates = model.apply(
    variables,
    x,
    train=True,
    rngs={"dropout": getkey()},
    capture_intermediates=True,
    mutable=["batch_stats", "intermediates"],
  )
  block = updates["intermediates"]["stage1_block1"]
  (normalized,), (dropped,) = (
    block[name]["__call__"] for name in ("norm2", "Dropout_0")
  )
  kept = dropped != 0
  active = jax.nn.relu(normalized)
  assert 0.4 < kept[active > 0].mean() < 0.6
  chex.assert_trees_all_close(dropped, jnp.where(kept, 2 * active, 0))
