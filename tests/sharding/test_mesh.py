"""Tests of the placement of arrays on a mesh."""

import os
import socket
import subprocess
import sys
import types

import chex
import jax
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax.sharding import mesh as meshes


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


def fake(*, slice_index=0, process_index=0):
  return types.SimpleNamespace(
    slice_index=slice_index,
    process_index=process_index,
    platform="cpu",
    device_kind="cpu",
  )


def test_make_mesh_keeps_the_devices_of_a_slice_together(monkeypatch):
  """As of two slices of a pod, whose devices come in any order."""
  devices = [fake(slice_index=i % 2) for i in range(8)]
  monkeypatch.setattr(meshes, "Mesh", lambda devices, *rest, **options: devices)
  found = sharding.make_mesh(devices)
  assert [x.slice_index for x in found] == [0, 0, 0, 0, 1, 1, 1, 1]
  assert {id(x) for x in found} == {id(x) for x in devices}


def test_make_mesh_refuses_slices_of_different_sizes():
  with pytest.raises(ValueError, match=r"slices have \[1, 2\] devices"):
    sharding.make_mesh([fake(slice_index=i) for i in (0, 1, 1)])


@pytest.mark.parametrize("own", (0, 1))
def test_local_rows_are_those_of_the_devices_of_a_process(monkeypatch, own):
  order = [0, 1, 1, 0]
  mesh = types.SimpleNamespace(
    size=4, devices=np.array([fake(process_index=i) for i in order])
  )
  monkeypatch.setattr(jax, "process_index", lambda: own)
  rows = {0: [0, 1, 6, 7], 1: [2, 3, 4, 5]}[own]
  assert sharding.local_rows(mesh, 8) == rows
  with pytest.raises(ValueError, match="must divide into 4 equal parts"):
    sharding.local_rows(mesh, 6)


def test_put_rows_equals_put_on_a_mesh_of_any_order():
  devices = np.array(jax.devices())[[0, 6, 2, 5, 1, 7, 4, 3]]
  mesh = sharding.make_mesh(list(devices))
  rows = np.arange(16.0).reshape(16, 1)
  put = sharding.put_rows({"x": rows}, mesh)["x"]
  chex.assert_trees_all_equal(put, sharding.put(rows, sharding.sharded(mesh)))
  assert put.sharding == sharding.sharded(mesh)


WORKER = """
import sys, jax, numpy as np
from mixup_jax import sharding
jax.config.update("jax_num_cpu_devices", 2)
jax.distributed.initialize(sys.argv[1], 2, int(sys.argv[2]))
devices = jax.devices()
mesh = jax.sharding.Mesh([devices[i] for i in (0, 2, 3, 1)], ("data",))
own = sharding.local_rows(mesh, 8)
put = sharding.put_rows(np.arange(8)[own], mesh)
for shard in put.addressable_shards:
  assert shard.data.tolist() == list(range(8))[shard.index[0]], shard
print(own)
"""


def test_put_rows_of_two_processes_that_a_mesh_interleaves():
  with socket.create_server(("127.0.0.1", 0)) as server:
    address = f"127.0.0.1:{server.getsockname()[1]}"
  both = [
    subprocess.Popen(
      [sys.executable, "-c", WORKER, address, str(index)],
      env={k: v for k, v in os.environ.items() if k != "XLA_FLAGS"},
      stdout=subprocess.PIPE,
      text=True,
    )
    for index in range(2)
  ]
  printed = [process.communicate(timeout=60)[0].strip() for process in both]
  assert printed == ["[0, 1, 6, 7]", "[2, 3, 4, 5]"]
