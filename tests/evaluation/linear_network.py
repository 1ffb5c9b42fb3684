"""A network of one linear layer, and examples for it."""

import jax
import numpy as np

CLASSES, SIZE = 3, 4


def linear():
  """Returns the network, as weights and as a function."""
  weights = np.random.default_rng(1).normal(size=(SIZE, CLASSES))
  weights = weights.astype(np.float32)
  return weights, jax.jit(lambda x: x @ weights)


def examples(count, seed):
  """Returns `[count, SIZE]` float32 inputs."""
  rng = np.random.default_rng(seed)
  return rng.normal(size=(count, SIZE)).astype(np.float32)
