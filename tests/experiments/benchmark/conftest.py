"""A quantity that is quickly measured."""

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmark import quantities

SQUARE = quantities.Quantity(
  "square",
  "rows",
  (8, 16, 32, 64),
  lambda key, x: jnp.outer(x, x),
  lambda size: ((size,), np.float32),
  longest=32,
)


@pytest.fixture(name="square")
def make_square(monkeypatch):
  monkeypatch.setattr(quantities, "ALL", {"square": SQUARE})
  return SQUARE
