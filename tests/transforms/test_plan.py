"""Tests of the mixing plan: its options, and the mask of padding."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import losses
from mixup_jax import transforms

BATCH = 16
sample_mix = functools.partial(transforms.sample_mix, alpha=1.0)


def many(getkey, count=2000, **options):
  keys = jax.random.split(getkey(), count)
  return jax.vmap(lambda k: sample_mix(k, BATCH, **options))(keys)


@pytest.mark.parametrize("per_example, shape", [(False, ()), (True, (BATCH,))])
def test_sample_mix_shapes_and_dtypes(getkey, per_example, shape):
  mix = sample_mix(getkey(), BATCH, per_example=per_example)
  chex.assert_shape(mix.lam, shape)
  chex.assert_shape(mix.partner, (BATCH,))
  chex.assert_type([mix.lam, mix.partner], [jnp.float32, jnp.int32])


def test_sample_mix_per_example_lambdas_are_independent(getkey):
  lam = many(getkey, per_example=True).lam
  correlation = np.corrcoef(np.asarray(lam).T) - np.eye(BATCH)
  assert np.abs(correlation).max() < 0.12


def test_sample_mix_lambda_and_partner_are_independent(getkey):
  mix = many(getkey)
  first = np.asarray(mix.partner[:, 0])
  assert abs(np.corrcoef(np.asarray(mix.lam), first)[0, 1]) < 0.1


def test_sample_mix_fold_gives_the_example_at_least_half(getkey):
  assert many(getkey, fold=True).lam.min() >= 0.5


def test_sample_mix_draws_a_lam_for_each_group_of_consecutive_rows(getkey):
  lam = many(getkey, group_size=4).lam
  chex.assert_shape(lam, (2000, BATCH))
  groups = lam.reshape(-1, BATCH // 4, 4)
  chex.assert_trees_all_equal(
    groups, jnp.broadcast_to(groups[..., :1], groups.shape)
  )
  assert len(np.unique(groups[0, :, 0])) == BATCH // 4
  correlation = np.corrcoef(groups[..., 0].T) - np.eye(BATCH // 4)
  assert np.abs(correlation).max() < 0.1


def test_sample_mix_of_groups_gates_each_of_them(getkey):
  lam = many(getkey, group_size=4, probability=0.5).lam.reshape(-1, 4, 4)
  off = lam == 1
  assert (off.all(2) == off.any(2)).all() and 0.4 < off.mean() < 0.6
  assert not (off.all((1, 2)) == off.any((1, 2))).all()


def test_sample_mix_refuses_groups_beside_a_lam_for_each_example():
  options = {"alpha": 1.0, "per_example": True}
  transforms.sample_mix(jax.random.key(0), BATCH, group_size=1, **options)
  with pytest.raises(ValueError, match="group_size=4 one for so many"):
    transforms.sample_mix(jax.random.key(0), BATCH, group_size=4, **options)


@pytest.mark.parametrize("group_size", (-1, 3, 32))
def test_sample_mix_refuses_groups_that_do_not_divide_the_batch(
  getkey, group_size
):
  with pytest.raises(ValueError, match=f"group_size={group_size} does not div"):
    sample_mix(getkey(), BATCH, group_size=group_size)


@pytest.mark.parametrize("per_example", (False, True))
def test_sample_mix_mixes_with_the_probability(getkey, per_example):
  lam = many(getkey, probability=0.3, per_example=per_example).lam
  mixed = float((lam < 1).mean())
  assert abs(mixed - 0.3) < 5 * np.sqrt(0.3 * 0.7 / lam.size)


def test_sample_mix_probability_keeps_the_distribution_of_mixed_batches(getkey):
  lam = np.asarray(many(getkey, probability=0.5).lam)
  assert abs(lam[lam < 1].mean() - 0.5) < 0.05


@pytest.mark.parametrize(
  "options", [{"enabled": False}, {"probability": 0.0}, {"alpha": 0.0}]
)
def test_sample_mix_off_is_exactly_erm(getkey, options):
  mix = transforms.sample_mix(getkey(), BATCH, **{"alpha": 1.0, **options})
  assert mix.lam == 1
  x = jax.random.normal(getkey(), (BATCH, 3))
  chex.assert_trees_all_equal(transforms.mix_pairs(x, mix), x)


def test_sample_mix_traces_once_for_enabled_and_probability(getkey):
  draw = jax.jit(
    chex.assert_max_traces(
      lambda key, enabled, probability: sample_mix(
        key, BATCH, enabled=enabled, probability=probability
      ),
      n=1,
    )
  )
  on = draw(getkey(), jnp.asarray(True), jnp.float32(1.0))
  off = draw(getkey(), jnp.asarray(False), jnp.float32(1.0))
  never = draw(getkey(), jnp.asarray(True), jnp.float32(0.0))
  assert on.lam < 1 and off.lam == 1 and never.lam == 1


def test_sample_mix_where_keeps_padding_out_of_valid_rows(getkey):
  where = jnp.arange(BATCH) < 11
  mix = many(getkey, where=where)
  chex.assert_shape(mix.lam, (2000,))
  assert jnp.all(mix.partner[:, :11] < 11)
  assert jnp.all(jnp.sort(mix.partner) == jnp.arange(BATCH)[None])


def test_sample_mix_leaves_out_given_partners_that_are_padding(getkey):
  where = jnp.arange(BATCH) < 11
  partner = transforms.rolled_partners(BATCH)
  mix = sample_mix(getkey(), BATCH, where=where, partner=partner)
  rows = jnp.full((BATCH, 2), jnp.where(where, 1.0, jnp.inf)[:, None])
  mixed = transforms.mix_pairs(jnp.where(where[:, None], rows, 1e30), mix)
  chex.assert_trees_all_close(mixed[:11], jnp.ones((11, 2)), rtol=1e-6)
  assert mix.lam[0] == 1 and mix.lam[1] < 1


def test_sample_mix_takes_a_partner_function(getkey):
  key = getkey()
  x = {"a": jax.random.normal(getkey(), (BATCH, 3))}
  roll = functools.partial(jax.tree.map, lambda leaf: jnp.roll(leaf, 1, axis=0))
  by_rows = sample_mix(
    jax.random.clone(key), BATCH, partner=transforms.rolled_partners(BATCH)
  )
  by_function = sample_mix(key, BATCH, partner=roll)
  chex.assert_trees_all_equal(
    transforms.mix_pairs(x, by_rows), transforms.mix_pairs(x, by_function)
  )


@pytest.mark.parametrize("probability", (-0.1, 1.5, float("nan")))
def test_sample_mix_refuses_a_wrong_probability(getkey, probability):
  with pytest.raises(ValueError, match=f"probability must .* {probability:g}"):
    sample_mix(getkey(), BATCH, probability=probability)


def test_mixup_refuses_an_unknown_option(getkey):
  with pytest.raises(TypeError, match="per_sample"):
    transforms.mixup(
      getkey(), jnp.ones((4, 2)), jnp.ones(4), alpha=1.0, per_sample=True
    )


def test_mixup_names_a_partner_of_a_numpy_array_that_is_no_row(getkey):
  x, y = jnp.eye(3), jnp.arange(3)
  with pytest.raises(ValueError, match="partners must be.*0 to 2, got 3"):
    transforms.mixup(getkey(), x, y, alpha=1.0, partner=np.array([0, 3, 1]))


@pytest.mark.parametrize("row", (-1, 3))
def test_mixup_with_a_traced_partner_that_is_no_row_is_nan(getkey, row):
  x, y = jnp.eye(3), jnp.arange(3)
  mix = jax.jit(functools.partial(transforms.mixup, alpha=1.0))
  mixed, targets = mix(getkey(), x, y, partner=jnp.array([0, row, 1]))
  loss = losses.cross_entropy(jnp.zeros((3, 3)), targets)
  for values in (mixed.sum(axis=1), loss):
    chex.assert_trees_all_equal(
      jnp.isnan(values), jnp.array([False, True, False])
    )
