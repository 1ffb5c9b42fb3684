"""Tests of mixing at a drawn hidden layer."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms
from mixup_jax.models import mlp

LABELS = jnp.arange(6)


def mixed_depths(key, layers, depths=4):
  """Returns which depths the drawn hook changes."""
  x = jnp.eye(6)
  mixed, targets = transforms.manifold(
    key,
    x,
    LABELS,
    alpha=2.0,
    layers=layers,
    partner=transforms.rolled_partners(6),
  )
  chex.assert_trees_all_equal(mixed.inputs, x)
  hook = mixed.hook
  changed = [bool(jnp.any(hook(depth, x) != x)) for depth in range(depths)]
  return changed, hook, targets


def test_manifold_mixes_exactly_one_of_the_layers(getkey):
  seen = []
  for _ in range(20):
    changed, _, _ = mixed_depths(getkey(), layers=(0, 2))
    assert sum(changed) == 1
    seen.append(changed.index(True))
  assert set(seen) == {0, 2}


def test_manifold_hook_and_targets_share_the_plan(getkey):
  changed, hook, targets = mixed_depths(getkey(), layers=(1, 3))
  depth = changed.index(True)
  chex.assert_trees_all_close(
    hook(depth, jnp.eye(6)), targets.soft(6), atol=1e-7
  )


def test_manifold_draws_layers_uniformly(getkey):

  def draw(key):
    x = jnp.eye(6)
    mixed, _ = transforms.manifold(
      key,
      x,
      LABELS,
      alpha=2.0,
      layers=(0, 1, 2),
      partner=transforms.rolled_partners(6),
    )
    return jnp.stack([jnp.any(mixed.hook(d, x) != x) for d in range(3)])

  share = jax.vmap(draw)(jax.random.split(getkey(), 3000)).mean(0)
  assert np.all(np.abs(np.asarray(share) - 1 / 3) < 0.05)


def test_manifold_traces_a_model_once_for_all_layers(getkey):
  model = mlp.MLP(num_classes=3, hidden=(8, 8))
  x = jax.random.normal(getkey(), (6, 4))
  variables = model.init(getkey(), x)

  @jax.jit
  @chex.assert_max_traces(n=1)
  def logits(key):
    mixed, targets = transforms.manifold(
      key, x, LABELS, alpha=2.0, layers=(0, 1, 2)
    )
    logits = model.apply(variables, mixed.inputs, train=True, mix=mixed.hook)
    return logits, targets

  for _ in range(3):
    chex.assert_shape(logits(getkey())[0], (6, 3))


def test_manifold_at_depth_zero_is_input_mixup(getkey):
  model = mlp.MLP(num_classes=3, hidden=(8,))
  x = jax.random.normal(getkey(), (6, 4))
  variables = model.init(getkey(), x)
  mixed, targets = transforms.manifold(
    getkey(), x, LABELS, alpha=1.0, layers=(0,)
  )
  mix = transforms.Mix(targets.lam, targets.partner_labels)
  chex.assert_trees_all_close(
    model.apply(variables, x, mix=mixed.hook),
    model.apply(variables, transforms.mix_pairs(x, mix)),
    rtol=1e-6,
  )


def test_manifold_refuses_empty_layers(getkey):
  with pytest.raises(ValueError, match="layers is empty"):
    transforms.manifold(getkey(), LABELS, LABELS, alpha=1.0, layers=())


def test_hidden_mix_passes_through_jit_and_vmap(getkey):
  """The layers are static, and all else is arrays."""

  def draw(key):
    return transforms.manifold(
      key, jnp.eye(6), LABELS, alpha=2.0, layers=(0, 2)
    )[0]

  keys = jax.random.split(getkey(), 5)
  mixed = jax.jit(jax.vmap(draw))(keys)
  assert mixed.layers == (0, 2)
  chex.assert_shape(
    [mixed.layer, mixed.mix.lam, mixed.mix.partner], [(5,), (5,), (5, 6)]
  )


def test_check_depths_names_a_layer_that_the_model_does_not_have(getkey):
  x, y = jnp.eye(4), jnp.arange(4)
  mixed, _ = transforms.manifold(getkey(), x, y, alpha=1.0, layers=(0, 7))
  mixed.check_depths([0, 1, 7])
  with pytest.raises(ValueError, match=r"no depth 7 .* from \[0, 1\]"):
    mixed.check_depths([0, 1])
