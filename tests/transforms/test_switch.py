"""Tests of the choice between transforms."""

import functools

import chex
import jax
import jax.numpy as jnp
import pytest

from mixup_jax import transforms

MARKS = tuple(
  lambda key, x, y, mark=mark: (jnp.full_like(x, mark), y)
  for mark in (1.0, 2.0, 3.0)
)


def share(getkey, probabilities):
  def draw(key):
    return transforms.switch(
      key,
      jnp.zeros(()),
      jnp.zeros(()),
      transforms=MARKS,
      probabilities=probabilities,
    )[0]

  drawn = jax.vmap(draw)(jax.random.split(getkey(), 4000))
  return jnp.stack([(drawn == mark).mean() for mark in (1.0, 2.0, 3.0)])


@pytest.mark.parametrize(
  "probabilities", [None, (0.5, 0.5, 0.0), (0.1, 0.2, 0.7)]
)
def test_switch_draws_with_the_probabilities(getkey, probabilities):
  expected = jnp.asarray(probabilities or (1 / 3,) * 3)
  assert jnp.all(jnp.abs(share(getkey, probabilities) - expected) < 0.03)


def test_switch_takes_traced_probabilities(getkey):

  @jax.jit
  @chex.assert_max_traces(n=1)
  def either(key, probabilities):
    return transforms.switch(
      key,
      jnp.eye(16).reshape(16, 4, 4, 1),
      jnp.arange(16),
      transforms=(
        functools.partial(transforms.mixup, alpha=1.0),
        functools.partial(transforms.cutmix, alpha=1.0),
      ),
      probabilities=probabilities,
    )

  averaged, _ = either(getkey(), jnp.asarray([1.0, 0.0]))
  pasted, _ = either(getkey(), jnp.asarray([0.0, 1.0]))
  assert jnp.any((averaged > 0) & (averaged < 1))
  assert jnp.all((pasted == 0) | (pasted == 1))


@pytest.mark.parametrize(
  "probabilities", [(0.5, 0.5), (0.5, 0.6, 0.1), (-0.5, 0.5, 1.0)]
)
def test_switch_refuses_wrong_probabilities(getkey, probabilities):
  with pytest.raises(ValueError, match="probabilities .* must be 3 numbers"):
    transforms.switch(
      getkey(),
      jnp.zeros(2),
      jnp.zeros(2),
      transforms=MARKS,
      probabilities=probabilities,
    )


def test_switch_refuses_no_transforms(getkey):
  with pytest.raises(ValueError, match="transforms is empty"):
    transforms.switch(getkey(), jnp.zeros(2), jnp.zeros(2), transforms=())


def test_switch_reuses_no_key_under_vmap(getkey):
  """As `jax_debug_key_reuse` has it; lax.map runs the drawn branch alone."""

  def draw(key):
    return transforms.switch(
      key,
      jnp.zeros(2),
      jnp.zeros(2),
      transforms=(
        functools.partial(transforms.gaussian_noise, sigma=1.0),
        functools.partial(transforms.gaussian_noise, sigma=100.0),
      ),
    )

  keys = jax.random.split(getkey(), 4)
  one_by_one = jax.lax.map(draw, jax.random.clone(keys))
  chex.assert_trees_all_close(jax.vmap(draw)(keys), one_by_one, rtol=1e-6)
