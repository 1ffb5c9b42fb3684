"""Proves that hidden layers are mixed once, at the drawn depth."""

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
  hook, targets = transforms.manifold(
    key, LABELS, alpha=2.0, layers=layers, partner=transforms.rolled_partners(6)
  )
  x = jnp.eye(6)
  changed = [bool(jnp.any(hook(depth, x) != x)) for depth in range(depths)]
  return changed, hook, targets


def test_exactly_one_of_the_named_depths_is_mixed(getkey):
  seen = []
  for _ in range(20):
    changed, _, _ = mixed_depths(getkey(), layers=(0, 2))
    assert sum(changed) == 1
    seen.append(changed.index(True))
  assert set(seen) == {0, 2}


def test_hidden_values_and_labels_share_the_plan(getkey):
  changed, hook, targets = mixed_depths(getkey(), layers=(1, 3))
  depth = changed.index(True)
  chex.assert_trees_all_close(
    hook(depth, jnp.eye(6)), targets.soft(6), atol=1e-7
  )


def test_layers_are_drawn_evenly(getkey):

  def draw(key):
    hook, _ = transforms.manifold(
      key,
      LABELS,
      alpha=2.0,
      layers=(0, 1, 2),
      partner=transforms.rolled_partners(6),
    )
    x = jnp.eye(6)
    return jnp.stack([jnp.any(hook(depth, x) != x) for depth in range(3)])

  share = jax.vmap(draw)(jax.random.split(getkey(), 3000)).mean(0)
  assert np.all(np.abs(np.asarray(share) - 1 / 3) < 0.05)


def test_one_trace_for_all_layers_through_a_model(getkey):
  model = mlp.MLP(num_classes=3, hidden=(8, 8))
  x = jax.random.normal(getkey(), (6, 4))
  variables = model.init(getkey(), x)

  @jax.jit
  @chex.assert_max_traces(n=1)
  def logits(key):
    hook, targets = transforms.manifold(
      key, LABELS, alpha=2.0, layers=(0, 1, 2)
    )
    return model.apply(variables, x, train=True, mix=hook), targets

  for _ in range(3):
    chex.assert_shape(logits(getkey())[0], (6, 3))


def test_depth_zero_alone_is_input_mixup(getkey):
  model = mlp.MLP(num_classes=3, hidden=(8,))
  x = jax.random.normal(getkey(), (6, 4))
  variables = model.init(getkey(), x)
  hook, targets = transforms.manifold(getkey(), LABELS, alpha=1.0, layers=(0,))
  mix = transforms.Mix(targets.lam, targets.partner_labels)
  chex.assert_trees_all_close(
    model.apply(variables, x, mix=hook),
    model.apply(variables, transforms.mix_pairs(x, mix)),
    rtol=1e-6,
  )


def test_no_layers_are_refused(getkey):
  with pytest.raises(ValueError, match="layers is empty"):
    transforms.manifold(getkey(), LABELS, alpha=1.0, layers=())
