"""Tests of the placement of arrays on a mesh."""

import chex
import jax
import numpy as np
import pytest

from mixup_jax import sharding


@pytest.fixture
def mesh():
  return sharding.make_mesh()


@pytest.mark.parametrize("place", [sharding.sharded, sharding.replicated])
def test_put_equals_device_put_in_one_process(mesh, place):
  where = place(mesh)
  tree = {
    "ids": np.arange(16, dtype=np.int32),
    "images": np.ones((8, 4, 4), np.uint8),
    "pair": (np.zeros((8, 2), np.float32),),
  }
  with jax.transfer_guard("disallow"):
    put = sharding.put(tree, where)
  expected = jax.device_put(tree, where)
  chex.assert_trees_all_equal(put, expected)
  chex.assert_trees_all_equal_shapes_and_dtypes(put, expected)
  assert all(x.sharding == where for x in jax.tree.leaves(put))
