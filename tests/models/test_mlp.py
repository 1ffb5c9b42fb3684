"""Tests of the multilayer perceptron."""

import chex
import jax
import jax.numpy as jnp
import pytest

from mixup_jax.models import mlp


def test_mlp_defaults_have_the_parameters_of_the_paper(getkey):
  model = mlp.MLP(num_classes=3)
  params = model.init(getkey(), jnp.ones((1, 4)))["params"]
  count = sum(x.size for x in jax.tree.leaves(params))
  assert count == (4 * 128 + 128) + (128 * 128 + 128) + (128 * 3 + 3)


def test_mlp_equals_a_forward_pass_by_hand(getkey):
  model = mlp.MLP(num_classes=2, hidden=(3, 4))
  x = jax.random.normal(getkey(), (5, 6))
  variables = model.init(getkey(), x)
  h = x
  for name in ("Dense_0", "Dense_1", "Dense_2"):
    layer = variables["params"][name]
    h = h @ layer["kernel"] + layer["bias"][None]
    h = jax.nn.relu(h) if name != "Dense_2" else h
  chex.assert_trees_all_close(model.apply(variables, x), h, rtol=1e-5)


def test_mlp_starts_within_one_over_root_fan_in(getkey):
  params = mlp.MLP(num_classes=2).init(getkey(), jnp.ones((1, 4)))["params"]
  for name, fan_in in (("Dense_0", 4), ("Dense_1", 128)):
    for leaf in jax.tree.leaves(params[name]):
      assert jnp.abs(leaf).max() <= fan_in**-0.5
      assert jnp.abs(leaf).max() > 0.9 * fan_in**-0.5
      assert jnp.abs(leaf.mean()) < 0.2 * fan_in**-0.5


def test_mlp_with_flax_starts_from_truncated_normals_and_zeros(getkey):
  model = mlp.MLP(num_classes=2, initializer="flax")
  params = model.init(getkey(), jnp.ones((1, 64)))["params"]
  for name, fan_in in (("Dense_0", 64), ("Dense_1", 128)):
    kernel, bias = params[name]["kernel"], params[name]["bias"]
    assert not bias.any()
    # Of standard deviation 1 / sqrt(fan_in) once cut at two of its own.
    assert jnp.abs(kernel.std() * fan_in**0.5 - 1) < 0.05
    assert 1.9 < jnp.abs(kernel).max() * fan_in**0.5 < 2.28


def test_mlp_refuses_an_unknown_initializer():
  with pytest.raises(
    ValueError, match="initializer 'keras': choose one of tor"
  ):
    mlp.MLP(num_classes=2, initializer="keras")


@pytest.mark.parametrize("hidden", ((8,), (8, 4), ()))
def test_mlp_calls_mix_at_each_depth(getkey, hidden):
  model = mlp.MLP(num_classes=2, hidden=hidden)
  x = jnp.ones((3, 5))
  variables = model.init(getkey(), x)
  seen = []

  def mix(depth, h):
    seen.append((depth, h.shape[-1]))
    return h

  model.apply(variables, x, train=True, mix=mix)
  assert seen == list(enumerate((5, *hidden)))
