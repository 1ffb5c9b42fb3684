"""Tests of the protocol that all models follow."""

import functools

import chex
import jax
import jax.numpy as jnp
import pytest

from mixup_jax import models
from mixup_jax import sharding
from tests.models import torch_vectors

# Each kind of model as small as it can be and still have all its parts.
TINY = {
  "preact_resnet18": dict(width=4, blocks=(1, 1)),
  "wide_resnet28_10": dict(depth=10, width=1),
  "densenet_bc_190_40": dict(depth=10, growth=4),
  "resnet50": dict(blocks=(1, 1), width=4, stem="small"),
  "resnext101_32x4d": dict(blocks=(1, 1), width=4, groups=2),
  "lenet": dict(width=4, hidden=8, dropout=0.0),
  "vgg11": dict(width=2, hidden=8, stages=((1,), (2, 2))),
  "vit_s4": dict(depth=2, width=8, heads=2),
  "mlp": dict(hidden=(8,)),
}
# The depth of the last call of `mix`, where it is not 4.
LAST = {
  "mlp": 1,
  "lenet": 2,
  "vgg11": 2,
  "vit_s4": 3,
  "preact_resnet18": 3,
  "resnet50": 3,
  "resnext101_32x4d": 3,
}
WITHOUT_DROPOUT = ("vgg11", "resnet50", "resnext101_32x4d")
SIZES = {"lenet": 16}  # Of the images, where 8 is too small.
IMAGE_MODELS = [name for name in TINY if name != "mlp"]

each_model = pytest.mark.parametrize("name", TINY)
each_image_model = pytest.mark.parametrize("name", IMAGE_MODELS)


def build(name, rows=8, **fields):
  """Returns a tiny model and a batch."""
  model = models.build(name, num_classes=3, **{**TINY[name], **fields})
  size = SIZES.get(name, 8)
  shape = (rows, 8) if name == "mlp" else (rows, size, size, 3)
  return model, jnp.asarray(torch_vectors.numbers("x", shape))


@functools.cache
def variables_of(name):
  """Returns variables, which neither rows nor dropout change."""
  return torch_vectors.variables(*build(name))


def setup(name, rows=8, **fields):
  """Returns a tiny model, its variables and a batch."""
  model, x = build(name, rows, **fields)
  return model, variables_of(name), x


def training(model):
  """Returns a function that gives logits and new statistics."""
  return jax.jit(
    lambda variables, x: model.apply(
      variables, x, train=True, mutable=["batch_stats"]
    )
  )


def test_models_have_a_tiny_one_of_every_family():
  def kinds(names):
    return {type(models.build(n, num_classes=2)) for n in names}

  assert kinds(TINY) == kinds(models.MODELS)


@each_model
def test_models_call_mix_at_every_depth_in_order(name):
  model, variables, x = setup(name)
  depths = []

  def mix(depth, hidden):
    depths.append(depth)
    assert len(hidden) == len(x)
    return hidden

  jax.eval_shape(
    lambda: model.apply(variables, x, train=True, mix=mix, mutable=True)
  )
  last = LAST.get(name, 4)
  assert depths == list(range(last + 1))


@each_model
def test_models_continue_with_what_mix_returns(name):
  model, variables, x = setup(name)
  last = LAST.get(name, 4)

  @jax.jit
  def reverse_at(layer):
    def reverse(depth, h):
      return jnp.where(depth == layer, h[::-1], h)

    return model.apply(variables, x, mix=reverse)

  clean = jax.jit(model.apply)(variables, x)
  chex.assert_trees_all_close(reverse_at(-1), clean, atol=1e-5)
  for layer in range(last + 1):
    chex.assert_trees_all_close(reverse_at(layer), clean[::-1], atol=1e-5)


@each_image_model
@pytest.mark.parametrize("dtype", (jnp.float32, "bfloat16"))
def test_models_logits_parameters_and_statistics_are_float32(name, dtype):
  model, x = build(name, dtype=dtype)
  maps = []

  def mix(depth, h):
    maps.append(h.dtype)
    return h

  def run(x):
    variables = model.init(jax.random.key(0), x)
    return variables, model.apply(
      variables, x, train=True, mix=mix, mutable=["batch_stats"]
    )

  variables, (logits, updates) = jax.eval_shape(run, x)
  assert logits.shape == (8, 3)
  for leaf in jax.tree.leaves((variables, logits, updates)):
    assert leaf.dtype == jnp.float32
  assert maps[0] == x.dtype and set(maps[1:]) == {jnp.dtype(dtype)}


@each_image_model
def test_models_in_bfloat16_are_close_to_float32(name):
  model, variables, x = setup(name)
  exact, _ = training(model)(variables, x)
  logits, _ = training(model.clone(dtype=jnp.bfloat16))(variables, x)
  chex.assert_trees_all_close(logits, exact, atol=0.05 * jnp.abs(exact).max())
  assert jnp.abs(logits - exact).max() > 1e-5


@pytest.mark.parametrize(
  "name", sorted(set(IMAGE_MODELS) - set(WITHOUT_DROPOUT))
)
def test_models_drop_out_in_training_only_and_by_key(getkey, name):
  model, variables, x = setup(name, dropout=0.5)

  @jax.jit
  def logits(key):
    return model.apply(
      variables, x, train=True, mutable=["batch_stats"], rngs={"dropout": key}
    )[0]

  key, other = getkey(), getkey()
  first = logits(jax.random.clone(key))
  chex.assert_trees_all_equal(first, logits(key))
  assert jnp.abs(first - logits(other)).max() > 1e-3
  jax.eval_shape(model.apply, variables, x)  # Needs no key.


@each_model
def test_models_ignore_padding(name):
  """Neither logits, nor statistics, nor gradients."""
  model, variables, x = setup(name, rows=5)
  padded = jnp.concatenate((x, jnp.full((3, *x.shape[1:]), 100.0)))

  @jax.jit
  def run(variables, x, where):

    def risk(params):
      logits, updates = model.apply(
        {**variables, "params": params},
        x,
        train=True,
        where=where,
        mutable=["batch_stats"],
      )
      return jnp.square(logits[:5]).sum(), (logits[:5], updates)

    return jax.grad(risk, has_aux=True)(variables["params"])

  expected = run(variables, x, None)
  masked = run(variables, padded, jnp.arange(8) < 5)
  chex.assert_trees_all_close(masked, expected, rtol=1e-3, atol=1e-3)


@each_image_model
def test_models_on_eight_devices_equal_one(name):
  """Under jit the statistics of BatchNorm are those of the global batch."""
  model, variables, x = setup(name, rows=16)
  run = training(model)
  mesh = sharding.make_mesh()
  rows = jax.device_put(x, sharding.sharded(mesh))
  copies = jax.device_put(variables, sharding.replicated(mesh))
  logits, updates = run(copies, rows)
  assert len(rows.sharding.device_set) == 8
  chex.assert_trees_all_close(
    (logits, updates), run(variables, x), rtol=1e-4, atol=1e-4
  )


@each_image_model
def test_models_take_several_image_sizes(name):
  model, _ = build(name)
  for size in (SIZES.get(name, 8), 20, 32):
    x = jax.ShapeDtypeStruct((2, size, size, 3), jnp.float32)
    logits, _ = jax.eval_shape(model.init_with_output, jax.random.key(0), x)
    assert logits.shape == (2, 3)


def test_build_refuses_unknown_names_and_sizes():
  with pytest.raises(ValueError, match="model 'mpl': choose one of preact"):
    models.build("mpl", num_classes=3)
  with pytest.raises(TypeError, match="widht"):
    models.build("mlp", num_classes=3, widht=7)
  with pytest.raises(ValueError, match="depth"):
    models.build("wide_resnet28_10", num_classes=3, depth=27)
