"""Tests of the checks that every transform shares."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms
from mixup_jax.transforms import _checks


@pytest.mark.parametrize(
  "alpha",
  (0, 0.2, 1, 32.0, float("inf"), np.float32(0.4), np.array([0.1, 2.0])),
)
def test_check_alpha_accepts_numbers_from_zero(alpha):
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
def test_check_alpha_refuses_bad_values(alpha, error, shown):
  with pytest.raises(error, match=f"alpha must be .*{shown}: 0 is ERM"):
    transforms.check_alpha(alpha)


def test_check_alpha_does_not_read_device_arrays():
  transforms.check_alpha(jnp.float32(-1))


def test_check_range_refuses_values_above_high():
  _checks.check_range("p", 1.0, high=1, advice="stay below")
  with pytest.raises(ValueError, match="p must be from 0 to 1, got 1.5: stay"):
    _checks.check_range("p", 1.5, high=1, advice="stay below")


def test_batch_size_requires_a_shared_leading_axis():
  assert _checks.batch_size({"a": np.ones((3, 2)), "b": jnp.ones(3)}) == 3
  for tree in ((), (np.ones(3), np.ones(4)), (np.ones(3), 1.0)):
    with pytest.raises(ValueError, match="share a leading batch axis"):
      _checks.batch_size(tree)


def test_batch_size_names_the_leaf_and_its_shape():
  tree = {"a": np.ones((3, 2))}, {"label": np.ones(4), "b": [np.ones(3)]}
  with pytest.raises(
    ValueError, match=r"inputs\['a'\] \(3, 2\), .*targets\['label'\] \(4,\)"
  ):
    _checks.batch_size(tree)


@pytest.mark.parametrize(
  "leaf",
  (
    np.array([b"a", b"b"]),
    np.array(["a", "b"]),
    np.array([None, "b"]),
    np.array(["2020-01-01"] * 2, "M8[D]"),
  ),
)
def test_batch_size_names_a_leaf_without_numbers(leaf):
  with pytest.raises(TypeError) as error:
    _checks.batch_size((jnp.ones(2), {"label": jnp.ones(2), "id": leaf}))
  message = f"targets['id'] has the dtype {leaf.dtype}, which holds no numbers"
  assert message in str(error.value)


def test_batch_size_takes_all_numbers():
  tree = [jnp.ones(2, x) for x in ("bfloat16", "bool", "int8", "complex64")]
  assert _checks.batch_size((jnp.ones(2), tree)) == 2


@pytest.mark.parametrize(
  "transform",
  (
    functools.partial(transforms.mixup, alpha=1.0),
    functools.partial(transforms.cutmix, alpha=1.0),
    functools.partial(
      transforms.cutmix, alpha=1.0, partner=jnp.zeros(4, jnp.int32)
    ),
    transforms.as_transform(lambda key, inputs, targets: (inputs, targets)),
  ),
)
def test_transforms_name_the_shape_and_dtype_of_where(getkey, transform):
  batch = jnp.ones((4, 6)), jnp.zeros(4, jnp.int32)
  for where in (jnp.ones((4, 6), bool), jnp.ones(6, bool), True):
    with pytest.raises(ValueError, match=r"where must have the shape \(4,\)"):
      transform(getkey(), *batch, where=where)
  with pytest.raises(TypeError, match="where must be boolean, got int32: pass"):
    transform(getkey(), *batch, where=jnp.ones(4, jnp.int32))
  transform(getkey(), *batch, where=np.ones(4, bool))


def test_check_pairable_refuses_fewer_than_two_examples():
  _checks.check_pairable(2)
  for size in (0, 1):
    with pytest.raises(
      ValueError, match=f"got a batch of {size}: use a larger"
    ):
      _checks.check_pairable(size)
