"""Tests of the named streams of random numbers."""

import itertools

import jax
import numpy as np
import pytest

from mixup_jax.train import rngs


def data(key):
  return tuple(np.asarray(jax.random.key_data(key)).tolist())


def test_stream_differs_by_name_step_and_seed():
  keys = [
    data(rngs.stream(jax.random.key(seed), name, step))
    for seed in range(3)
    for name in rngs.NAMES
    for step in (range(4) if name != "weights" else (0,))
  ]
  for one, other in itertools.combinations(keys, 2):
    assert one != other


def test_stream_is_a_function_of_its_arguments(getkey):
  """A root serves any number of streams, and a traced step is the same."""
  root = getkey()
  traced = jax.jit(lambda step: rngs.stream(root, "mix", step))
  assert data(traced(3)) == data(rngs.stream(root, "mix", 3))
  assert data(rngs.stream(root, "mix", 3)) == data(rngs.stream(root, "mix", 3))


def test_stream_refuses_an_unknown_name(getkey):
  with pytest.raises(ValueError, match="unknown stream 'mixing': choose"):
    rngs.stream(getkey(), "mixing")
