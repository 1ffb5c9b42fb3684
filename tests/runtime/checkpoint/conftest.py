"""Fixtures: a directory of checkpoints, and processes that share it."""

import pathlib
import subprocess
import sys

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mixup_jax import sharding
from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import storage
from tests import subprocesses

ROOT = pathlib.Path(__file__).parents[3]


class Shelf:
  """A directory in which the checkpoint of step n holds `tree(n)`."""

  def __init__(self, path: pathlib.Path):
    self.path = path

  @staticmethod
  def tree(number):
    """Returns arrays that do not compress, and containers without arrays."""
    noise = np.random.default_rng(number).normal(size=(8, 40))
    return {
      "step": jnp.int32(number),
      "params": {
        "a/b.c": jnp.asarray(noise, jnp.float32),
        "half": jnp.asarray(noise[0], jnp.bfloat16),
      },
      "batch_stats": {},
      "opt_state": (optax.EmptyState(), optax.TraceState([jnp.arange(8)]), ()),
      "none": None,
    }

  @staticmethod
  def placed(like, devices):
    """Returns shapes on a mesh; arrays with 8 rows are sharded."""
    mesh = sharding.make_mesh(jax.devices()[:devices])

    def place(x):
      parts = x.shape[:1] == (8,)
      where = sharding.sharded(mesh) if parts else sharding.replicated(mesh)
      return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=where)

    return jax.tree.map(place, like)

  def save(self, *numbers):
    with checkpoint.Checkpoints(self.path) as saved:
      for number in numbers:
        saved.save(number, self.tree(number))

  def restore(self, like=None):
    with checkpoint.Checkpoints(self.path) as saved:
      return saved.restore(like or self.placed(self.tree(0), 1))

  def assert_restores(self, number):
    step, restored = self.restore()
    assert step == number
    chex.assert_trees_all_equal(restored, self.tree(number))

  def names(self):
    return sorted(path.name for path in self.path.iterdir())


def _processes(*commands):
  """Runs Python processes of two devices; returns statuses and errors."""
  started = [
    subprocess.Popen(
      [sys.executable, *words],
      cwd=ROOT,
      stderr=subprocess.PIPE,
      text=True,
      env=subprocesses.environment(2),
    )
    for words in commands
  ]
  try:
    errors = [process.communicate(timeout=100)[1] for process in started]
  finally:
    for process in started:
      process.kill()
  return [process.returncode for process in started], errors


@pytest.fixture
def shelf(tmp_path) -> Shelf:
  return Shelf(tmp_path / "checkpoints")


@pytest.fixture
def processes():
  return _processes


@pytest.fixture
def remote(bucket) -> Shelf:
  """Returns a directory in a bucket."""
  return Shelf(storage.path(bucket, "remote") / "checkpoints")
