"""Tests of k-mixup's partners against SciPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from mixup_jax import transforms

solve_all = jax.jit(jax.vmap(transforms.least_cost_assignment))
assign = jax.jit(
  transforms.assigned_partners, static_argnames=("group", "solve")
)


@pytest.mark.parametrize("n", (1, 2, 7))
def test_least_cost_assignment_has_the_cost_of_scipy(n):
  costs = np.random.default_rng(n).normal(size=(40, n, n)).astype(np.float32)
  costs[::4] = np.rint(costs[::4])  # With ties.
  found = np.asarray(solve_all(costs))
  for cost, columns in zip(costs, found):
    assert sorted(columns) == list(range(n))
    best = cost[scipy.optimize.linear_sum_assignment(cost)].sum()
    np.testing.assert_allclose(
      cost[np.arange(n), columns].sum(), best, atol=1e-5
    )


def test_least_cost_assignment_takes_what_is_not_finite_last():
  costs = np.random.default_rng(0).uniform(size=(2, 7, 7)).astype(np.float32)
  forbidden = np.random.default_rng(1).uniform(size=(7, 7)) < 0.5
  forbidden[np.arange(7), np.arange(7)] = False  # So that there is a way.
  costs[0, forbidden], costs[1] = np.inf, np.nan
  first, second = np.asarray(solve_all(costs))
  _, best = scipy.optimize.linear_sum_assignment(costs[0])
  np.testing.assert_array_equal(first, best)
  assert sorted(second) == list(range(7))


def test_assigned_partners_of_padding_of_nan_are_a_permutation():
  inputs, _ = matched()
  padded = np.where(np.arange(24)[:, None, None] < 20, inputs, np.nan)
  partner = assign(jax.random.key(1), padded.astype(np.float32), group=6)
  same = assign(
    jax.random.key(1), np.nan_to_num(padded).astype(np.float32), group=6
  )
  np.testing.assert_array_equal(partner, same)
  assert sorted(partner.tolist()) == list(range(24))


@functools.cache
def matched():
  rng = np.random.default_rng(0)
  inputs = (rng.normal(size=(24, 3, 2)) + 100).astype(np.float32)
  return inputs, np.asarray(assign(jax.random.key(1), inputs, group=6))


def squared(a, b):
  return ((a[:, None] - b[None]) ** 2).reshape(len(a), len(b), -1).sum(-1)


def test_assigned_partners_are_those_of_scipy_in_random_groups():
  inputs, partner = matched()
  drawn = transforms.random_partners(jax.random.key(1), 24)
  for group, others in enumerate(np.asarray(drawn).reshape(4, 6)):
    rows = np.arange(6 * group, 6 * group + 6)
    costs = squared(inputs[rows].astype(float), inputs[others].astype(float))
    _, columns = scipy.optimize.linear_sum_assignment(costs)
    np.testing.assert_array_equal(partner[rows], others[columns])
  assert (partner != drawn).any()


def test_assigned_partners_of_a_group_of_one_are_random_partners():
  inputs, _ = matched()
  np.testing.assert_array_equal(
    assign(jax.random.key(3), inputs, group=1),
    transforms.random_partners(jax.random.key(3), 24),
  )


def test_assigned_partners_take_another_solver():
  inputs, _ = matched()

  def backwards(costs):
    return jnp.arange(len(costs) - 1, -1, -1)

  key = jax.random.key(3)
  partner = assign(jax.random.clone(key), inputs, group=4, solve=backwards)
  drawn = transforms.random_partners(jax.random.clone(key), 24)
  np.testing.assert_array_equal(
    partner.reshape(6, 4), drawn.reshape(6, 4)[:, ::-1]
  )


@pytest.mark.parametrize("group", (0, 5))
def test_assigned_partners_refuses_a_group_that_does_not_divide(group):
  with pytest.raises(ValueError, match=f"group={group} does not divide .* 24"):
    transforms.assigned_partners(jax.random.key(0), matched()[0], group=group)


def test_least_cost_assignment_refuses_a_rectangle():
  with pytest.raises(ValueError, match=r"\[n, n\], got the shape \(2, 3\)"):
    transforms.least_cost_assignment(jnp.ones((2, 3)))
