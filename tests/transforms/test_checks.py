"""Proves the checks that every transform shares."""

import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms
from mixup_jax.transforms import _checks


@pytest.mark.parametrize(
  "alpha",
  (0, 0.2, 1, 32.0, float("inf"), np.float32(0.4), np.array([0.1, 2.0])),
)
def test_good_alphas_pass(alpha):
  transforms.check_alpha(alpha)


@pytest.mark.parametrize(
  "alpha, error, shown",
  [
    (-1, ValueError, "got -1"),
    (float("nan"), ValueError, "got nan"),
    (np.array([1.0, -0.5]), ValueError, "got -0.5"),
    ("0.2", TypeError, "got '0.2'"),
    (None, TypeError, "got None"),
    (False, TypeError, "got False"),
    ([0.2], TypeError, r"got \[0.2\]"),
  ],
)
def test_bad_alphas_are_refused(alpha, error, shown):
  with pytest.raises(error, match=f"alpha must be .*{shown}: 0 is ERM"):
    transforms.check_alpha(alpha)


def test_values_on_the_device_are_not_looked_at():
  transforms.check_alpha(jnp.float32(-1))


def test_a_range_has_its_upper_end():
  _checks.check_range("p", 1.0, high=1, advice="stay below")
  with pytest.raises(ValueError, match="p must be from 0 to 1, got 1.5: stay"):
    _checks.check_range("p", 1.5, high=1, advice="stay below")


def test_batches():
  assert _checks.batch_size({"a": np.ones((3, 2)), "b": jnp.ones(3)}) == 3
  for tree in ((), (np.ones(3), np.ones(4)), (np.ones(3), 1.0)):
    with pytest.raises(ValueError, match="share a leading batch axis"):
      _checks.batch_size(tree)
  _checks.check_pairable(2)
  for size in (0, 1):
    with pytest.raises(
      ValueError, match=f"got a batch of {size}: use a larger"
    ):
      _checks.check_pairable(size)
