"""Tests that lambda follows Beta(alpha, alpha)."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from mixup_jax import transforms

ALPHAS = (0.1, 0.2, 0.4, 1.0, 2.0, 8.0, 32.0)
DRAWS = 200_000


def draw(alpha, seed=0, **options) -> np.ndarray:
  key = jax.random.fold_in(jax.random.key(seed), int(1000 * alpha))
  lam = transforms.sample_lambda(key, alpha=alpha, shape=(DRAWS,), **options)
  return np.asarray(lam, np.float64)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_sample_lambda_lower_half_follows_the_exact_cdf(alpha):
  """Below 1/2, float32 resolves every value, so that the exact test applies."""
  lam = draw(alpha)
  lower = lam[lam < 0.5]

  def cdf(x):
    return 2 * scipy.stats.beta(alpha, alpha).cdf(x)

  assert scipy.stats.kstest(lower, cdf).pvalue > 1e-3
  assert scipy.stats.binomtest(len(lower), DRAWS).pvalue > 1e-3


@pytest.mark.parametrize("alpha", ALPHAS)
def test_sample_lambda_follows_beta_rounded_to_float32(alpha):
  """Near 1, float32 is coarse: the test rounds both samples alike."""
  reference = scipy.stats.beta(alpha, alpha).rvs(DRAWS, random_state=1)
  reference = reference.astype(np.float32).astype(np.float64)
  # float32 is far finer near 0 than near 1: the second test is of 1 - lam.
  for sample, other in (
    (draw(alpha), reference),
    (1 - draw(alpha), 1 - reference),
  ):
    assert scipy.stats.ks_2samp(sample, other).pvalue > 1e-3


def test_sample_lambda_with_a_wrong_alpha_fails_the_test():
  lam = draw(1.0)
  lower = lam[lam < 0.5]

  def cdf(x):
    return 2 * scipy.stats.beta(1.05, 1.05).cdf(x)

  assert scipy.stats.kstest(lower, cdf).pvalue < 1e-6


@pytest.mark.parametrize("alpha", (0.01, 0.02, 0.05, *ALPHAS, 100.0))
def test_sample_lambda_moments(alpha):
  """The mean is 1/2, the variance 1 / (4 (2 alpha + 1)), for every alpha."""
  lam = draw(alpha, seed=1)
  variance = 1 / (4 * (2 * alpha + 1))
  assert abs(lam.mean() - 0.5) < 5 * np.sqrt(variance / DRAWS)
  fourth = (
    scipy.stats.beta(alpha, alpha).expect(lambda x: (x - 0.5) ** 4)
    if alpha >= 0.4
    else 1 / 16
  )
  spread = np.sqrt(max(fourth - variance**2, 1e-12) / DRAWS)
  assert abs(lam.var() - variance) < 5 * spread


@pytest.mark.parametrize(
  "alpha, expected",
  [
    (0.1, 0.9416),
    (0.2, 0.8988),
    (0.4, 0.8398),
    (1.0, 0.75),
    (2.0, 0.6875),
    (8.0, 0.5982),
    (32.0, 0.5497),
  ],
)
def test_sample_lambda_fold_returns_the_larger_weight(alpha, expected):
  lam = draw(alpha, fold=True)
  assert lam.min() >= 0.5
  assert abs(lam.mean() - expected) < 1e-3


def test_sample_lambda_at_alpha_zero_and_infinity(getkey):
  sample = functools.partial(transforms.sample_lambda, shape=(1000,))
  chex.assert_trees_all_equal(sample(getkey(), alpha=0), jnp.ones(1000))
  chex.assert_trees_all_equal(
    sample(getkey(), alpha=float("inf")), jnp.full(1000, 0.5)
  )


@pytest.mark.parametrize("alpha", (1e-6, 1e-3, 0.01, 1.0, 1e3, 1e6))
def test_sample_lambda_is_finite_and_within_bounds(alpha):
  lam = draw(alpha, seed=2)
  assert np.isfinite(lam).all()
  assert lam.min() >= 0 and lam.max() <= 1


def test_sample_lambda_takes_an_array_of_alphas(getkey):
  alpha = jnp.asarray([0.0, 1.0, jnp.inf])
  lam = transforms.sample_lambda(getkey(), alpha=alpha, shape=(3,))
  chex.assert_type(lam, jnp.float32)
  assert lam[0] == 1 and 0 < lam[1] < 1 and lam[2] == 0.5


def test_sample_lambda_traces_once_for_every_key_and_alpha(getkey):
  sample = jax.jit(
    chex.assert_max_traces(
      lambda key, alpha: transforms.sample_lambda(key, alpha=alpha), n=1
    )
  )
  for alpha in (0.0, 0.1, 1.0, 32.0):
    chex.assert_shape(sample(getkey(), jnp.float32(alpha)), ())


def test_sample_lambda_of_a_traced_bad_alpha_is_nan(getkey):
  sample = jax.jit(
    lambda key, alpha: transforms.sample_lambda(key, alpha=alpha)
  )
  assert jnp.isnan(sample(getkey(), -1.0))
  assert jnp.isnan(sample(getkey(), jnp.nan))


@pytest.mark.parametrize(
  "alpha, error",
  [
    (-0.5, ValueError),
    (float("nan"), ValueError),
    (np.asarray([1.0, -2.0]), ValueError),
    ("0.2", TypeError),
    (None, TypeError),
    (True, TypeError),
  ],
)
def test_sample_lambda_refuses_a_wrong_alpha(getkey, alpha, error):
  shown = "-2" if isinstance(alpha, np.ndarray) else str(alpha)
  with pytest.raises(error, match=f"alpha must be .*{shown}.*0 is ERM"):
    transforms.sample_lambda(getkey(), alpha=alpha, shape=(2,))
