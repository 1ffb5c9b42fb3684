"""Tests of the list of leaves of a state."""

import json
import zlib

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mixup_jax import sharding
from mixup_jax.runtime.checkpoint import _leaves
from mixup_jax.train import state as states


def test_by_name_uses_the_paths_of_leaves():
  state = states.TrainState(
    step=jnp.int32(0),
    params={"a/b": [jnp.zeros(2)]},
    batch_stats={},
    opt_state=(None,),
    average=None,
  )
  assert list(_leaves.by_name(state)) == [".step", ".params['a/b'][0]"]


@pytest.mark.parametrize(
  "leaf, message",
  [
    (0, "is of type int, and states are of jax.Array: put jnp.asarray"),
    (np.zeros(2), "is of type ndarray"),
    ("text", "is of type str"),
    (jax.random.key(0), r"is a typed key, key<fry>\[\].*jax.random.key_data"),
    (jax.ShapeDtypeStruct((2,), "int32"), r"is int32\[2\] without a sharding"),
  ],
)
def test_by_name_names_a_leaf_that_cannot_be_saved(leaf, message):
  with pytest.raises(TypeError, match=rf"^\['params'\]\['a'\] {message}"):
    _leaves.by_name({"params": {"a": leaf}, "step": jnp.int32(0)})


def test_by_name_names_the_step_of_a_train_state_of_flax():
  from flax.training import train_state

  state = train_state.TrainState.create(
    apply_fn=None, params={}, tx=optax.identity()
  )
  with pytest.raises(TypeError, match="^.step is of type int.*TrainState.c"):
    _leaves.by_name(state)
  assert list(_leaves.by_name(state.replace(step=jnp.int32(0)))) == [".step"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_describe_has_dtype_shape_and_crc32(dtype, shape):
  value = np.asarray(jnp.ones(shape, dtype))
  assert _leaves.describe(value) == {
    "dtype": dtype,
    "shape": [*shape],
    "crc32": zlib.crc32(value.tobytes()),
  }
  assert _leaves.describe(value.T)["crc32"] == zlib.crc32(value.T.tobytes())


def test_host_value_returns_what_put_placed():
  mesh = sharding.make_mesh()
  value = np.arange(16, dtype=np.float32).reshape(8, 2)
  with jax.transfer_guard("disallow"):
    for where in (sharding.sharded(mesh), sharding.replicated(mesh)):
      x = _leaves.put(value, where)
      assert x.sharding == where
      with jax.transfer_guard("allow"):
        chex.assert_trees_all_equal(_leaves.host_value(x), value)


def test_read_list_refuses_a_damaged_list(tmp_path):
  listed = _leaves.make_list({"x": jnp.arange(3)}, {"a": 17})
  path = tmp_path / "leaves" / "metadata"
  path.parent.mkdir()
  path.write_text(json.dumps(listed))
  assert _leaves.read_list(tmp_path) == (listed["leaves"], {"a": 17})
  for old, new in (("int32", "int64"), ("17", "18")):
    path.write_text(json.dumps(listed).replace(old, new))
    with pytest.raises(ValueError, match="CRC-32 does not match"):
      _leaves.read_list(tmp_path)


def test_make_list_refuses_an_array_without_elements():
  with pytest.raises(ValueError, match=r"x is float32\[0,3\], .* leave it out"):
    _leaves.make_list({"x": jnp.zeros((0, 3))}, {})
