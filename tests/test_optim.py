"""Proves the optimisers that configs name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import optim


def test_first_step_of_adam_is_the_learning_rate():
  tx = optim.build("adam", learning_rate=0.01)
  params = jnp.asarray([1.0, -2.0])
  with jax.numpy_dtype_promotion("standard"):  # As the training step does.
    update, _ = tx.update(jnp.asarray([5.0, -0.1]), tx.init(params), params)
  np.testing.assert_allclose(update, [-0.01, 0.01], rtol=1e-5)


def test_unknown_names_and_settings_are_refused():
  with pytest.raises(ValueError, match="optimizer 'adamm': choose one of adam"):
    optim.build("adamm")
  with pytest.raises(TypeError, match="learning_rat"):
    optim.build("adam", learning_rat=0.1)
